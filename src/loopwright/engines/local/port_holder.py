"""Which program has a port that we want: said to whoever has to decide which of the two goes."""

from __future__ import annotations

from contextlib import suppress

import psutil

__all__ = ["holder"]

_UNKNOWN = "another process"


def holder(port: int) -> str:
    """Who listens at a TCP port, such as `python3 (pid 123)`; `another process` where the system does not tell."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and getattr(connection.laddr, "port", 0) == port
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return _UNKNOWN
