"""How soon a worker that keeps failing is started again."""

from __future__ import annotations

from loopwright.scoring.workers import restart_delay


def test_the_first_restart_is_at_once_and_the_next_ever_later() -> None:
    delays = [restart_delay(failures) for failures in range(1, 12)]
    assert delays[0] == 0
    assert delays == sorted(delays)
    assert delays[1] < 0.5


def test_the_delay_has_a_bound() -> None:
    assert restart_delay(10**6) == 10
