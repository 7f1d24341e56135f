"""Since when nobody has asked: with virtual time."""

from __future__ import annotations

from loopwright.engines.local.idleness import Idleness


def test_time_passes_while_counts_stay() -> None:
    idleness = Idleness(0.0)
    for now in (1.0, 2.0, 3.0):
        idleness.look({"a": 0}, False, now)
    assert idleness.seconds(3.5) == 3.5


def test_a_request_between_two_looks_is_seen_by_its_count() -> None:
    idleness = Idleness(0.0)
    idleness.look({"a": 1, "b": 0}, False, 5.0)
    idleness.look({"a": 1, "b": 0}, False, 7.0)
    assert idleness.seconds(7.0) == 2.0


def test_one_that_goes_and_one_that_comes_without_requests_change_nothing() -> None:
    idleness = Idleness(0.0)
    idleness.look({"a": 3}, False, 1.0)
    idleness.look({"b": 0}, False, 2.0)
    assert idleness.seconds(4.0) == 3.0


def test_who_is_busy_is_not_idle() -> None:
    idleness = Idleness(0.0)
    idleness.look({}, True, 5.0)
    assert idleness.seconds(5.0) == 0.0
