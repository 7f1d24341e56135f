"""A clock that is set, forward and back, while a control plane lives and between two of its lives."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest
from loop_life import Life, World

from loopwright.errors import TemporaryError
from loopwright.ledger import Fact, Ledger
from loopwright.loop.actions import End
from loopwright.loop.book import Book
from loopwright.loop.case import Case
from loopwright.loop.clock import ClockWatch, steady
from loopwright.loop.driver import Driver
from loopwright.loop.performer import Performer
from loopwright.loop.view import View
from loopwright.state import StateFolder

HOUR = 3600.0


class Clocks:
    """One that can be set, and one that cannot."""

    def __init__(self) -> None:
        self.wall, self.true = 1_000_000.0, 50.0

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.true += seconds

    def watch(self) -> ClockWatch:
        return ClockWatch(lambda: self.wall, lambda: self.true)


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_step_is_told_once(seconds: float) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.passes(100.0)
    assert watch.stepped() == 0.0
    clocks.wall += seconds
    assert watch.stepped() == pytest.approx(seconds)
    assert watch.stepped() == 0.0


def test_a_clock_that_runs_a_little_fast_is_none_that_was_set() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    for _ in range(100):
        clocks.passes(60.0)
        clocks.wall += 0.5
        assert watch.stepped() == 0.0


def test_the_steady_clock_passes() -> None:
    before = steady()
    assert 0.0 <= steady() - before < 60.0


def open_book(folder: Path, clocks: Clocks) -> Book:
    state = StateFolder(folder)
    ledger = Ledger.open(state.ledger, state.ledger_key, state.ledger_head)
    ledger.take_over("loopwright", clocks.wall)
    return Book(ledger, clocks.watch())


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_time_since_a_fact_is_the_same_however_the_clock_was_set(tmp_path: Path, seconds: float) -> None:
    clocks = Clocks()
    book = open_book(tmp_path, clocks)
    asked = book.append("approval.requested", "toy", "toy-1-prod", {}, "ada", clocks.wall)
    clocks.passes(60.0)
    clocks.wall += seconds
    book.append("x.noted", "toy", "x", {}, "ada", clocks.wall)
    clocks.passes(30.0)
    assert book.view.elapsed(asked, clocks.wall) == pytest.approx(90.0, abs=0.01)
    assert [fact.kind for fact in book.ledger.facts()][-2:] == ["clock.stepped", "x.noted"]
    assert book.ledger.verify().ok
    book.ledger.close()


def test_a_clock_set_back_while_nothing_ran_does_not_make_the_past_the_future(tmp_path: Path) -> None:
    clocks = Clocks()
    book = open_book(tmp_path, clocks)
    asked = book.append("approval.requested", "toy", "toy-1-prod", {}, "ada", clocks.wall)
    book.ledger.close()
    clocks.wall -= 10 * HOUR
    book = open_book(tmp_path, clocks)
    clocks.passes(7.0)
    assert book.view.elapsed(asked, clocks.wall) == pytest.approx(7.0)
    book.ledger.close()


def test_the_order_of_facts_is_that_of_their_sequence() -> None:
    view = View()
    for sequence, at in ((1, 100.0), (2, 5.0)):
        body = {"environment": "prod", "package": {"digest": f"p{sequence}"}}
        view.apply(Fact(sequence, at, 1, "release.completed", "toy", f"k{sequence}", "a", body, "", ""))
    current = view.current("prod", "toy")
    assert current is not None
    assert current.sequence == 2


def test_what_failed_for_the_moment_is_tried_again_in_time_though_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life, clocks = Life(tmp_path, World()), Clocks()
    driver = Driver(life.services, lambda: clocks.wall, lambda: clocks.true)
    tried: list[object] = []
    monkeypatch.setattr(driver.hands._pool, "submit", lambda *given: tried.append(given) or Future())
    case, action = Case(life.spec, life.request("a"), life.book.view), End("change.completed")
    driver.hands._later(
        (case.change.id, ""), Performer(life.services, case), action, TemporaryError("no", delay=10.0)
    )
    clocks.wall -= HOUR
    driver.hands.submit(case, action, set())
    assert tried == []
    clocks.passes(11.0)
    driver.hands.submit(case, action, set())
    assert len(tried) == 1
