"""Whether the gateway may have its port, asked before its first process starts.

Envoys share a port (SO_REUSEPORT), so a second gateway of the same user would join the first one silently and take half
of its requests. A plain bind finds out.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

from loopwright.engines.local.port_holder import holder
from loopwright.errors import MachineError

__all__ = ["address", "require_free", "taken"]


def address(host: str) -> str:
    """The IP address to listen on. Raises MachineError where the host is none: Envoy resolves no names here."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        raise MachineError(
            f"The gateway's host is {host!r}, which is not an IP address. Set it to 127.0.0.1 (this machine only) or 0.0.0.0 (all)."
        ) from None


def require_free(host: str, port: int) -> None:
    """Raise MachineError, saying what to do, where nobody could listen on this port now."""
    at = address(host)
    family = socket.AF_INET6 if ":" in at else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # connections of an earlier gateway may linger
        try:
            probe.bind((at, port))
            probe.listen(1)
        except (OSError, OverflowError) as error:
            raise MachineError(f"The gateway cannot listen on {at}:{port}: {_why(error, port)}") from error


def taken(port: int) -> str:
    """Who has the gateway's port, and what to do about it."""
    return (
        f"{holder(port)} has this port. Stop that process: the gateway takes the port as soon as it is free. Or choose another: "
        "`gateway_port` in settings.json of the state folder, then `loopwright down` and `loopwright up`."
    )


def _why(error: OSError | OverflowError, port: int) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return taken(port)
    if number == errno.EACCES:
        return "only root may use this port. Choose one from 1024 on in the settings."
    if number == errno.EADDRNOTAVAIL:
        return "this machine has no such address. Choose 127.0.0.1 or 0.0.0.0 in the settings."
    reason = os.strerror(number) if number else str(error)
    return f"{reason}. Choose another host and port in the settings."
