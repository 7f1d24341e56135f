"""Approvals under rules: asked for, given by several, expired, void; through crashes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from loop_life import Approve, Life, World, toy_replica_set

from loopwright.loop.book import Book
from loopwright.loop.case import Case
from loopwright.loop.change import Change
from loopwright.loop.walk import StepState
from loopwright.release import Rule

DAY = 86_400.0


@pytest.fixture(autouse=True)
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loopwright.loop.releaser.replica_set", toy_replica_set)


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / str(number) for number in itertools.count())  # type: ignore[return-value]


def ruled(monkeypatch: pytest.MonkeyPatch, rule: Rule) -> None:
    monkeypatch.setattr(Approve, "rule", lambda step, case: rule)


def asking(homes: Iterator[Path]) -> tuple[Life, Change]:
    home = next(homes)
    home.mkdir()
    life = Life(home, World())
    change = life.request("a", auto=False)
    life.rounds(12)
    return life, change


def say(life: Life, actor: str, approval: str = "toy-1-prod", decision: str = "approve") -> None:
    body = {"decision": decision, "comment": "", "auto": False}
    Book.append(life.book, "approval.decided", "toy", approval, body, actor, life.now)


def shown(life: Life) -> StepState:
    return life.rounds(12)["toy-1"].states[3]


def test_two_people_are_waited_for(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    ruled(monkeypatch, Rule(2, ("ada", "bob", "carl")))
    life, _ = asking(homes)
    say(life, "ada")
    assert (
        shown(life).message
        == "1 of 2 said yes (ada); waiting for: loopwright approve toy-1-prod, of ada, bob, carl"
    )
    say(life, "carl")
    assert (shown(life).state, shown(life).message) == ("done", "")
    assert life.book.view.releases["prod", "toy"][0].body["version"] == 1


def test_one_no_is_enough(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    ruled(monkeypatch, Rule(2))
    life, _ = asking(homes)
    say(life, "ada")
    say(life, "bob", decision="reject")
    assert shown(life).message == "bob rejected the release to prod."


def test_automatic_approval_is_none_where_a_rule_stands(
    homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ruled(monkeypatch, Rule(1, not_author=True))
    life, change = asking(homes)
    Book.append(life.book, "change.auto-approved", "toy", change.id, {"auto": True}, "ada", 0.0)
    assert shown(life).state == "approval"
    assert life.kinds("approval.decided") == 0


def test_one_that_expired_is_asked_for_anew_under_another_name(homes: Iterator[Path]) -> None:
    life, _ = asking(homes)
    life.now += 8 * DAY
    assert shown(life).approval == "toy-1-prod-2"
    assert life.book.view.mark("approval.expired", "toy-1-prod") is not None
    say(life, "ada")  # to the old one
    assert shown(life).state == "approval"
    life.now += 8 * DAY
    assert shown(life).approval == "toy-1-prod-3"
    say(life, "ada", "toy-1-prod-3")
    assert shown(life).state == "done"


def test_a_clock_that_is_set_lets_none_expire_and_none_last_longer(homes: Iterator[Path]) -> None:
    life, _ = asking(homes)
    life.now += 6 * DAY
    for seconds in (100 * DAY, -300 * DAY):
        life.now += seconds
        life.book.append("clock.stepped", "", "", {"seconds": seconds}, "loopwright", life.now)
        assert shown(life).approval == "toy-1-prod"
    life.now += 2 * DAY
    assert shown(life).approval == "toy-1-prod-2"


def test_one_is_void_once_what_it_was_asked_for_has_changed(
    homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    champion = "c"

    def inputs(step: Approve, case: Case) -> dict[str, object]:
        return {"package": case.outputs["package"]["digest"], "champion": champion}

    monkeypatch.setattr(Approve, "inputs", inputs)
    life, _ = asking(homes)
    champion = "d"
    state = shown(life)
    assert (state.state, state.approval) == ("approval", "toy-1-prod-2")
    void = life.book.view.mark("approval.voided", "toy-1-prod")
    assert void is not None
    assert void.body["reason"] == "another release has come there since it was asked for"


def test_a_yes_of_long_ago_does_not_carry_over_to_a_later_change(homes: Iterator[Path]) -> None:
    life, _ = asking(homes)
    life.world.endless = {"prod--toy--a"}
    say(life, "ada")
    life.rounds(4)
    life.now += 1000  # the release fails: its replicas do not come up
    assert life.rounds(4)["toy-1"].state == "failed"
    life.now += 8 * DAY
    life.world.endless = set()
    life.request("a", auto=False)
    state = life.rounds(12)["toy-2"].states[3]
    assert (state.state, state.approval) == ("approval", "toy-2-prod")
    say(life, "ada", "toy-2-prod")
    assert life.rounds(12)["toy-2"].state == "succeeded"


def test_a_crash_at_any_operation_asks_and_settles_once(
    homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ruled(monkeypatch, Rule(2))
    for crash_at in itertools.count():
        life, _ = asking(homes)
        life.now += 8 * DAY
        life.world.crash_from(crash_at)
        life.rounds(8)
        for actor in ("ada", "bob"):
            say(life, actor, "toy-1-prod-2")
        assert life.rounds(20)["toy-1"].state == "succeeded", crash_at
        assert (life.kinds("approval.requested"), life.kinds("approval.expired")) == (2, 1), crash_at
        assert life.kinds("release.completed") == 1
        life.ledger.close()
        if not life.world.crashed:
            break
    assert crash_at > 15
