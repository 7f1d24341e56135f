"""A change that is asked for twice, because the first answer was lost, is one change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_world import Life
from tiny_workload import make_tiny

from loopwright.operations import changes
from loopwright.operations.cancelling import cancel
from loopwright.operations.rollback import rollback


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    life = Life(tmp_path / "home")
    yield life
    life.ledger.close()


def test_a_repeated_request_gets_the_change_that_the_first_one_made(life: Life, tmp_path: Path) -> None:
    work = str(make_tiny(tmp_path / "tiny"))

    def again(token: str) -> dict[str, Any]:
        return changes.up(life.control, work, True, "ada", again=True, token=token)

    first = again("one")
    life.ledger.close()
    life.be_born()
    assert again("one") == first
    assert [fact.key for fact in life.ledger.facts(kind="change.requested")] == ["tiny-1"]
    assert again("two")["change"] == "tiny-2"
    assert [again("")["change"] for _ in range(2)] == ["tiny-3", "tiny-4"]


def test_a_rollback_that_is_cancelled_behind_its_switch_gives_the_route_back(
    life: Life, tmp_path: Path
) -> None:
    work = make_tiny(tmp_path / "tiny")
    for content in "ab":
        (work / "train.py").write_text(f"# {content}\n")
        changes.up(life.control, str(work), True, "ada")
        life.settle()
    environment, routed = next(iter(life.book.view.releases))[0], life.world.routes
    before = life.book.view.routes[environment, "tiny"]
    name = rollback(life.control, [environment], "", "bob")["transfer"]
    while life.book.view.routes[environment, "tiny"] is before:
        life.tick()
    cancel(life.control, name, "bob")
    life.settle()
    assert (life.world.routes, life.book.view.outcome(name)) == (routed, "cancelled")
