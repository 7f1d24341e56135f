from __future__ import annotations

from loopwright.engines.local.backoff import Backoff


def waits(backoff: Backoff, failures: int) -> list[float]:
    told = []
    for _ in range(failures):
        backoff.failed(100.0)
        told.append(backoff.again_at - 100.0)
    return told


def test_the_first_failure_is_answered_at_once_and_each_further_one_later() -> None:
    assert waits(Backoff(first=0.5, longest=3.0), 6) == [0.0, 0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_stable_life_makes_earlier_failures_forgotten() -> None:
    backoff = Backoff()
    waits(backoff, 5)
    backoff.failed(200.0, lived=60.0)
    assert backoff.allows(200.0)


def test_a_short_life_does_not() -> None:
    backoff = Backoff()
    waits(backoff, 5)
    backoff.failed(200.0, lived=59.0)
    assert not backoff.allows(201.0)
