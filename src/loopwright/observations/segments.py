"""Segment files: where they lie, and the one that is being written.

A workload's observations in one environment lie in one folder: REVISION/WORKER/00000001.segment, and so on. A worker is
one life of one front, so a file has one writer ever. While it is written it is locked (flock), which ends with its
writer however that ends: an unlocked segment is complete, or as complete as it will ever be.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from loopwright import locks
from loopwright.observations.frames import MAGIC

ENDING = ".segment"


def found(workload: Path) -> list[Path]:
    """All segments of a workload in an environment, in the order of their workers' names and their own."""
    return sorted(workload.glob(f"*/*/*{ENDING}"))


def being_written(path: Path) -> bool:
    """Whether its writer lives; False too where it is gone."""
    return locks.held(path)


class Writer:
    """Appends to one segment after the other in a worker's folder; every method may raise OSError.

    `header` makes the first frame of a segment.
    """

    def __init__(self, folder: Path, segment_bytes: int, header: Callable[[], bytes]) -> None:
        self._folder = folder
        self._most = segment_bytes
        self._header = header
        self._number = 0
        self._file = -1
        self._size = 0
        self.begun = False  # whether there is a segment that can be appended to

    def append(self, content: Sequence[bytes]) -> None:
        """Write whole frames; where that fails, nothing of them stays."""
        if self.begun and self._lost():
            self.seal()
        if not self.begun:
            self._begin()
        try:
            for frame in content:
                _write(self._file, frame)
        except OSError:
            self._back()
            raise
        self._size += sum(map(len, content))

    def sync(self) -> None:
        """Return when the disk has it all; a segment that is full is then closed."""
        if self.begun:
            try:
                os.fsync(self._file)
            except (
                OSError
            ):  # what the disk has of it nobody knows, and asking again would be told that all is well
                self.seal()
                raise
            if self._size >= self._most:
                self.seal()

    def seal(self) -> None:
        """Close the segment; what comes next begins another."""
        if self.begun:
            self.begun = False
            os.close(self._file)

    def _begin(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{self._number + 1:08d}{ENDING}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            start = MAGIC + self._header()
            _write(self._file, start)
            _sync_folders(self._folder)
        except OSError:
            os.close(self._file)
            path.unlink(missing_ok=True)
            raise
        self._number += 1
        self._size = len(start)
        self.begun = True

    def _back(self) -> None:
        """To the end of the last frame that is whole; a new segment where even that cannot be."""
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            self.seal()

    def _lost(self) -> bool:
        return os.fstat(self._file).st_nlink == 0  # somebody deleted it


def _write(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def _sync_folders(folder: Path) -> None:
    """Make a new file's name durable, and those of the folders that may have been made for it."""
    for path in (folder, *list(folder.parents)[:4]):  # worker, revision, workload, environment, observations
        with suppress(PermissionError):  # not ours, so not made for this
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
