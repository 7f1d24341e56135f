"""What is read of a long ledger is enough: the answers are those that the whole gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from story import DAY, START, Story, in_folder

from loopwright.ledger import Ledger
from loopwright.loop.lineage import Chronicle, Served, newest_approved, served_at
from loopwright.operations import slices


@pytest.fixture(params=[False, True], ids=["today", "0.1"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """Seven versions of one workload on two data versions, one rejected, one rolled back; and another workload."""
    story, other = Story(old=request.param), Story("churn", old=request.param, now=START + 0.5)
    story.life("control.started")
    for number in range(3):
        story.release(rows=1317 + number % 2, accuracy=0.8 + number / 100)
        story.now += DAY
    other.release()
    last = story.release(rows=1317)
    rejected = story.register(rows=1400)
    story.deploy(rejected, "dev")
    story.ask(rejected)
    story.decide(rejected, "bob", "no", yes=False)
    story.deploy(last, "prod", version=2, actor="carla", by="rollback")
    expired = story.register(rows=1401)
    story.ask(expired)
    story.decide(expired, "bob")
    story.tell("approval.expired", f"{expired}-prod", {"change": expired, "reason": "7 days"})
    story.life("state.stopped", "dora")
    story.now += DAY
    story.life("control.started")
    story.ask(story.register(rows=1318))
    state = in_folder(tmp_path, story, other)
    with closing(Ledger.open(state.ledger, state.ledger_key, state.ledger_head)) as opened:
        yield opened


def without_uses(served: Served) -> Served:
    """What else was made of the data is not part of the question."""
    return replace(served, data=served.data and replace(served.data, runs=(), versions=()))


def test_what_served_at_each_moment(ledger: Ledger) -> None:
    facts = ledger.facts()
    whole = Chronicle.of(facts)
    for at in sorted({fact.time + 0.2 for fact in facts[::3]} | {START - DAY, START + 90 * DAY}):
        expected = [without_uses(one) for one in served_at(whole, at)]
        found = [without_uses(one) for one in served_at(slices.moment(ledger, at), at)]
        assert sorted(found, key=repr) == sorted(expected, key=repr), at


@pytest.mark.parametrize(
    "place", [("titanic", "prod"), ("titanic", "dev"), ("churn", "prod"), ("churn", "staging")]
)
def test_which_version_was_approved_last(ledger: Ledger, place: tuple[str, str]) -> None:
    assert newest_approved(slices.approved(ledger, *place), *place) == newest_approved(
        Chronicle.of(ledger.facts()), *place
    )
