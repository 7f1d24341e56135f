"""Digests of files that have not changed since they were last read, so that a big data set is not read for nothing.

A file counts as unchanged where path, size, inode and both times (content and status) are the same. File systems count
time in ticks: a file changed twice within one tick looks unchanged after the second change. So a digest is kept only of a
file that had been left alone for longer than the coarsest tick when it was read (git has this problem and this answer).
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from loopwright.state import replace_file

_COARSEST_TICK = 2_500_000_000  # nanoseconds; FAT counts in 2 s
_MOST = 20_000  # files remembered; those seen last


class KnownDigests:
    """Kept in one file, which may be lost or deleted at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._digests: dict[str, tuple[list[int], str]] = _read(path)
        self._changed = False

    def get(self, path: Path, info: os.stat_result) -> str | None:
        """The digest of a file with this status, where it is known."""
        with self._lock:
            found = self._digests.get(str(path))
            if found is None or found[0] != _identity(info):
                return None
            self._digests[str(path)] = self._digests.pop(str(path))  # seen last
            return found[1]

    def put(self, path: Path, info: os.stat_result, digest: str, read_at: int) -> None:
        """Remember a digest of content read from `read_at` (nanoseconds since the epoch) on."""
        if read_at - max(info.st_mtime_ns, info.st_ctime_ns) < _COARSEST_TICK:
            return
        with self._lock:
            self._digests.pop(str(path), None)
            self._digests[str(path)] = (_identity(info), digest)
            self._changed = True

    def save(self) -> None:
        """Write what is new to the file."""
        with self._lock:
            if self._changed:
                self._digests = dict(list(self._digests.items())[-_MOST:])
                replace_file(self._path, json.dumps(self._digests).encode())
                self._changed = False


def _identity(info: os.stat_result) -> list[int]:
    return [info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev]


def _read(path: Path) -> dict[str, tuple[list[int], str]]:
    try:
        content = json.loads(path.read_bytes())
        return {
            name: ([int(part) for part in identity], str(digest))
            for name, (identity, digest) in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
