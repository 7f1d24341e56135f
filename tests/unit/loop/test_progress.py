"""What is shown of a change that cannot be judged: that, and what was last known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loop_life import Life, World

from loopwright.errors import IntegrityError
from loopwright.loop.change import Change
from loopwright.loop.driver import Driver
from loopwright.loop.progress import Progress
from loopwright.loop.walk import StepState

FIELDS: dict[str, Any] = {"files": {}, "sources": {}, "commit": None, "dirty": False, "diff": None}
CHANGE = Change(
    id="toy-1", workload="toy", folder="/", spec="", author="ada", auto_approve=False, actor="ada",
    requested_at=0.0, **FIELDS,
)  # fmt: skip


def test_a_change_that_cannot_be_judged_is_not_shown_as_running() -> None:
    known = Progress("toy-1", "toy", "running", (StepState("data", "done"),), 0.0)
    shown = Progress.troubled(CHANGE, IntegrityError("The spec is gone."), known)
    assert shown.state == "troubled"
    assert shown.steps == known.steps
    assert "The spec is gone." in shown.trouble


def test_a_fault_of_ours_is_told_as_one() -> None:
    assert "KeyError('x')" in Progress.troubled(CHANGE, KeyError("x"), None).trouble


def test_a_look_that_fails_is_published_as_trouble(tmp_path: Path) -> None:
    life = Life(tmp_path, World())
    change = life.request("no such spec in the store")
    driver = Driver(life.services)
    driver.tick()
    _, shown = driver.board.get(change.id)
    assert shown.state == "troubled"
    assert "no such spec in the store" in shown.trouble
