"""Where a replica listens when it is not a Unix socket: alone on a machine, in a container, or under a benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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


def grpc_place(place: Path | Address, wanted: bool, port: int | None) -> Path | Address | None:
    """Where gRPC is served beside HTTP at `place`: on the socket of the same name that ends in `.grpc`, or on a port.

    Raises UsageError where it is wanted on a TCP address and no port is named, or one where there is none.
    """
    if isinstance(place, Path):
        if port is not None:
            raise UsageError(
                "--grpc-port goes with --http; on a Unix socket `grpc` in serving.json is enough."
            )
        return place.with_name(f"{place.name}.grpc") if wanted else None
    if port is None:
        if wanted:
            raise UsageError("serving.json switches gRPC on; with --http, name its port with --grpc-port.")
        return None
    if not 0 < port < 65536 or port == place.port:
        raise UsageError(f"--grpc-port is {port}, expected a port from 1 to 65535 other than that of --http.")
    return Address(place.host, port)
