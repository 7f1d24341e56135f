"""One control plane per state: a lock that the kernel lets go when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from loopwright.errors import ConflictError, MachineError, StaleEpochError

_TRIES = 10
_PAUSE = 0.02  # seconds


class Lock:
    """An exclusive flock on a file that names its holder's pid. The file stays; only the lock on it counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; raises ConflictError, naming the holder, where another has it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise MachineError(
                f"The lock {self.path} cannot be opened: {error.strerror}. Mend the state folder's permissions."
            ) from error
        try:
            self._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _take(self, descriptor: int) -> None:
        try:
            _flock(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise ConflictError(f"Another control plane (pid {holder}) holds {self.path}.") from error
        except OSError as error:
            raise MachineError(
                f"The lock {self.path} cannot be taken: {error.strerror}. Keep the state folder on a local disk."
            ) from error

    def check(self) -> None:
        """See that the lock still counts; raises StaleEpochError where its file was removed or replaced."""
        try:
            ours = self._descriptor is not None and os.path.samestat(
                self.path.stat(), os.fstat(self._descriptor)
            )
        except OSError:
            ours = False
        if not ours:
            raise StaleEpochError(
                f"The lock {self.path} is not held any more: its file was removed. This control plane must stop."
            )

    def release(self) -> None:
        """Let go; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Lock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _flock(descriptor: int) -> None:
    """Who only looks whether the lock is held has it for an instant: a few tries tell that from one who keeps it."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        else:
            return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
