"""Reads desired.json when it has changed, and keeps to the last good one where it is not what it should be."""

from __future__ import annotations

from pathlib import Path

import msgspec

from loopwright.engines.local.desired import Desired
from loopwright.log import logger

__all__ = ["WantedFile"]

_log = logger("agent")


class WantedFile:
    """`desired` is the newest good content; None until there was one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self.desired: Desired | None = None

    def read(self) -> Desired | None:
        """Look whether the file is another one, and take it in if it is good."""
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen != self._seen:
                self._seen = seen
                self.desired = msgspec.json.decode(self._path.read_bytes(), type=Desired)
        except FileNotFoundError:
            return self.desired
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            fields = {
                "action": "read",
                "file": str(self._path),
                "error": str(error),
                "kept": self.desired and self.desired.generation,
            }
            _log.error("desired.json is not what the agent takes; the last good one holds on", extra=fields)
        return self.desired
