"""Logs that cannot fill the disk: a job's output through its shim, and the rotation of what a process writes itself."""

from __future__ import annotations

import os

__all__ = ["KEPT", "TAIL", "BoundedLog", "last_lines", "rotate"]

KEPT = 64 * 1024 * 1024
TAIL = 64 * 1024
_ROTATED_AT = 8 * 1024 * 1024


class BoundedLog:
    """Keeps the first `kept` bytes and, appended when it is closed, the last `tail`: an error is told at the end."""

    def __init__(self, path: str, kept: int = KEPT, tail: int = TAIL) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._room, self._kept = kept, kept
        self._tail, self._longest_tail = b"", tail
        self._cut = 0

    def write(self, data: bytes) -> None:
        """Keep output, at once and unbuffered."""
        head, rest = data[: self._room], data[self._room :]
        self._room -= len(head)
        self._put(head)
        if rest and not self._cut:
            self.note(
                f"the log has reached {self._kept} bytes; of the rest only the last {self._longest_tail} are kept"
            )
        self._cut += len(rest)
        self._tail = (self._tail + rest)[-self._longest_tail :] if rest else self._tail

    def note(self, text: str) -> None:
        """Add a line of our own."""
        self._put(f"\n[loopwright] {text}\n".encode())

    def close(self) -> None:
        """Append the kept end, and close."""
        if self._cut:
            self.note(f"{self._cut - len(self._tail)} bytes cut here")
            self._put(self._tail)
        os.close(self._file)

    def _put(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:  # a full disk costs output, not the job
            self._cut += len(data)


def rotate(path: str, limit: int = _ROTATED_AT) -> None:
    """Where the file has passed `limit`, keep its content beside it as `.1` and empty it, under its writer's hands.

    Its writer must have opened it for appending. What is written between the copy and the cut is lost.
    """
    if not os.path.exists(path) or os.stat(path).st_size <= limit:  # noqa: PTH110, PTH116
        return
    try:
        with open(path, "rb") as source, open(f"{path}.1", "wb") as copy:  # noqa: PTH123
            source.seek(-limit, os.SEEK_END)
            copy.write(source.read(limit))
    except OSError:  # a full disk: then all the more it must be emptied
        pass
    os.truncate(path, 0)


def last_lines(path: str, longest: int = 16384) -> list[str]:
    """The last lines that say anything."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            file.seek(max(0, os.stat(path).st_size - longest))  # noqa: PTH116
            return [
                line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()
            ]
    except OSError:
        return []
