"""One builder at a time, and no lock that is left behind."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from loopwright.training.alone import alone, drop_locks


def test_one_at_a_time_builds_and_leaves_no_lock(tmp_path: Path) -> None:
    building: Counter[str] = Counter()
    most = 0

    def build(number: int) -> None:
        nonlocal most
        name = f"environment{number % 2}"
        with alone(tmp_path / name):
            building[name] += 1
            most = max(most, building[name])
            (tmp_path / f"file{number}").write_text("x")
            building[name] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(build, range(400)))
    assert most == 1
    assert not list(tmp_path.glob("*.lock"))


def test_the_lock_of_a_killed_job_goes_and_one_that_is_held_stays(tmp_path: Path) -> None:
    (tmp_path / "killed.lock").touch()
    with alone(tmp_path / "held"):
        drop_locks(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["held.lock"]
