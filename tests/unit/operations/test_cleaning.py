"""What a cleaning takes along, by the cleaner itself."""

from __future__ import annotations

import os
from pathlib import Path

from model_world import Life
from recordings import header

from loopwright.loop.retention import Policy
from loopwright.observations.segments import Writer
from loopwright.operations.cleaning import Cleaner


def test_the_lock_of_a_builder_that_was_killed_goes(tmp_path: Path) -> None:
    life = Life(tmp_path)
    left = life.state.environments / "0123456789abcdef.lock"
    left.parent.mkdir(exist_ok=True)
    left.touch()
    cleaner = Cleaner(life.driver.services, life.driver)
    cleaner.clean(Policy(), dry=True, now=life.world.now)
    assert left.exists()
    cleaner.clean(Policy(), dry=False, now=life.world.now)
    assert not left.exists()
    life.ledger.close()


def test_observations_go_by_their_own_terms_also_where_no_replica_runs(tmp_path: Path) -> None:
    life = Life(tmp_path)
    for worker, touched in (("old", life.world.now - 100), ("new", life.world.now)):
        writer = Writer(life.state.observations / "dev/titanic/r1" / worker, 4096, lambda: header(keep=50.0))
        writer.append([])
        writer.seal()
        for path in life.state.observations.glob(f"*/*/*/{worker}/*"):
            os.utime(path, (touched, touched))
    cleaner = Cleaner(life.driver.services, life.driver)
    for dry in (True, False):
        (removed,) = cleaner.clean(Policy(), dry=dry, now=life.world.now)
        assert (removed.item.kind, removed.item.name) == (
            "observations",
            "dev/titanic/r1/old/00000001.segment",
        )
        assert removed.size > 0
    assert [path.parent.name for path in life.state.observations.rglob("*.segment")] == ["new"]
    life.ledger.close()
