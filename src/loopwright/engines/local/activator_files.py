"""What the agent tells an activator, and what that tells the agent: two files, each replaced whole by its one writer.

sets.json     written by the agent: the sets that may be asleep, and which of their replicas are ready
demand.json   written by the activator: the requests that it holds, and how many there ever were
"""

from __future__ import annotations

from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from loopwright.engines.base import Value

__all__ = ["DEMAND", "SETS", "Demand", "FileOf", "Sleeper"]

SETS, DEMAND = "sets.json", "demand.json"
T = TypeVar("T")


class Sleeper(Value, frozen=True, kw_only=True):
    """A replica set that may have no replica, as an activator sees it."""

    name: str
    socket: str  # where this activator takes the set's requests
    places: int  # requests that may be held at once
    patience: float  # seconds that one may be held
    max_body: int  # bytes
    concurrency: int  # requests that each ready replica is given at once
    ready: tuple[str, ...] = ()  # sockets of ready replicas
    failing: str = ""  # why its replicas do not come up; empty where they do


class Demand(Value, frozen=True, kw_only=True):
    """What is asked of each set through one activator."""

    held: dict[str, int] = msgspec.field(default_factory=dict)  # requests that wait for a replica
    asked: dict[str, int] = msgspec.field(default_factory=dict)  # requests that ever came
    inside: int = 0  # requests that have no answer yet, of all sets


class FileOf(Generic[T]):
    """Reads such a file when it has changed; `content` is the newest that was good."""

    def __init__(self, path: Path, kind: type[T], empty: T) -> None:
        self._path, self._kind = path, kind
        self._seen: tuple[int, int] | None = None
        self.content = empty

    def read(self) -> bool:
        """Look; whether there is something new."""
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino)
            if seen == self._seen:
                return False
            self.content = msgspec.json.decode(self._path.read_bytes(), type=self._kind)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):  # not there yet, or not what it should be
            return False
        self._seen = seen
        return True
