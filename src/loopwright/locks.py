"""Who lives: control plane and agent each hold a lock that the kernel lets go when its holder dies.

An exclusive flock on a file that names its holder's pid. The file stays; only the lock on it counts.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

_PAUSE = 0.02  # seconds between two tries


def take(path: Path, patience: float = 1.0) -> int | None:
    """Take the lock and write our pid into it; None where another keeps it for all of `patience` seconds.

    The lock lasts as long as the returned descriptor. The patience is for `held`, which has the lock for an instant.
    Raises OSError where the file cannot be used.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        if _locked(descriptor, time.monotonic() + patience):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _locked(descriptor: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE)
        else:
            return True


def holder(path: Path) -> str:
    """The pid that the lock's file names."""
    return path.read_text(errors="replace").strip() or "unknown"


def same_file(path: Path, descriptor: int) -> bool:
    """Whether the open lock is still the file of that name: removed, it keeps nobody else away."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def held(path: Path) -> bool:
    """Whether a process holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # a shared lock needs no more
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
