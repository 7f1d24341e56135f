from __future__ import annotations

import os
from pathlib import Path

from loopwright.engines.local.replica import RECORD
from loopwright.engines.local.replica_sets import folders, prune


def make(root: Path, name: str, age: float = 0.0, alive: bool = False) -> None:
    (root / name).mkdir()
    if alive:
        (root / name / RECORD).touch()
    os.utime(root / name, (1000 - age, 1000 - age))


def test_of_ended_replicas_the_newest_of_each_set_are_kept_and_all_living(tmp_path: Path) -> None:
    make(tmp_path, "a.alive", age=100, alive=True)
    for name, age in (("a.1", 9), ("b.1", 9), ("a.2", 3), ("a.3", 2), ("a.4", 1)):
        make(tmp_path, name, age)
    prune(tmp_path)
    assert {folder.name for folder in folders(tmp_path)} == {"a.alive", "a.2", "a.3", "a.4", "b.1"}


def test_of_all_ended_ones_only_some_are_kept(tmp_path: Path) -> None:
    for number in range(35):
        make(tmp_path, f"s{number}.x")
    prune(tmp_path)
    assert len(folders(tmp_path)) == 30
