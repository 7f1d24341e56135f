from __future__ import annotations

import os
from pathlib import Path

from loopwright import locks


def test_a_lock_is_held_until_its_holder_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not locks.held(path)
    lock = locks.take(path)
    assert lock is not None
    assert locks.held(path)
    assert path.read_text() == f"{os.getpid()}\n"
    assert locks.take(path, patience=0.05) is None
    os.close(lock)
    assert not locks.held(path)


def test_a_removed_file_is_no_longer_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = locks.take(path)
    assert lock is not None
    assert locks.same_file(path, lock)
    path.unlink()
    assert not locks.same_file(path, lock)
    path.touch()
    assert not locks.same_file(path, lock)
    os.close(lock)
