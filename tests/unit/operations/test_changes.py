"""A change that is asked for twice, because the first answer was lost, is one change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_world import Life
from tiny_workload import make_tiny

from loopwright.operations import changes


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
