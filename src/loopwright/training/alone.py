"""One job at a time builds a Python environment: a lock beside its folder, gone when nobody needs it any more."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loopwright import locks


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Equal requirements of two workloads give one folder: one job builds it, the other waits and finds it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_suffix(".lock")
    while True:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if locks.same_file(path, file.fileno()):
                try:
                    yield
                finally:
                    path.unlink(missing_ok=True)
                return
            # Removed while it was waited for, it keeps nobody away: once more, with the one that is there.


def drop_locks(environments: Path) -> None:
    """Remove the locks that nobody holds: left by jobs that were killed."""
    for path in environments.glob("*.lock"):
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if locks.same_file(path, file.fileno()):
                path.unlink()
