"""One control plane per state: a lock that the kernel lets go when its holder dies."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from loopwright import locks
from loopwright.errors import ConflictError, MachineError, StaleEpochError

_PATIENCE = 0.2  # seconds: who only looks whether the lock is held has it for an instant


class Lock:
    """Held from `acquire` to `release`, or to the end of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; raises ConflictError, naming the holder, where another has it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            taken = locks.take(self.path, _PATIENCE)
            if taken is None:
                raise ConflictError(
                    f"Another control plane (pid {locks.holder(self.path)}) holds {self.path}."
                )
        except OSError as error:
            raise MachineError(
                f"The lock {self.path} cannot be taken: {error.strerror}. Mend the state folder's permissions, and keep it on "
                "a local disk."
            ) from error
        self._descriptor = taken

    def check(self) -> None:
        """See that the lock still counts; raises StaleEpochError where its file was removed or replaced."""
        try:
            ours = self._descriptor is not None and locks.same_file(self.path, self._descriptor)
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
