"""Where a replica listens when it is not a Unix socket: alone on a machine, in a container, or under a benchmark."""

from __future__ import annotations

from dataclasses import dataclass

from loopwright.errors import UsageError


@dataclass(frozen=True)
class Address:
    """A TCP address."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """From HOST:PORT, an IPv6 host in brackets; raises UsageError."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise UsageError(
                f"--http is {text!r}, expected HOST:PORT with a port from 1 to 65535, such as 127.0.0.1:8080."
            )
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
