"""What a cleaning takes along, by the cleaner itself."""

from __future__ import annotations

from pathlib import Path

from model_world import Life

from loopwright.loop.retention import Policy
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
