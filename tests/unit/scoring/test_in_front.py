"""A compiled model in the front: a request of many rows is answered in slices, and ends between two where it is late."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Sequence
from typing import Any

import pytest

from loopwright.scoring.in_front import FrontScorer
from loopwright.scoring.logs import Log
from loopwright.scoring.refusals import InvalidInput, Late
from loopwright.scoring.settings import Limits, Settings
from loopwright.scoring.telemetry import Telemetry


class _Slow:
    """A millisecond for each row; a negative value is refused."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def score(self, rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
        self.calls.append(len(rows))
        for number, (value,) in enumerate(rows):
            if value < 0:
                raise InvalidInput("x", number, str(value), "a number from 0")
        time.sleep(0.001 * len(rows))
        return [[value for (value,) in rows], [2 * value for (value,) in rows]]


def _front(timeout: float) -> tuple[FrontScorer, _Slow]:
    settings = Settings(
        workload="w",
        environment="e",
        revision="r",
        package="/p",
        compiled=True,
        limits=Limits(timeout=timeout),
    )
    log = Log(io.StringIO())
    scorer, model = FrontScorer(settings, [], Telemetry(settings, log), log), _Slow()
    scorer._model = model
    return scorer, model


def test_slices_together_are_the_answer_and_none_is_long() -> None:
    scorer, model = _front(timeout=9)
    rows = [(n,) for n in range(300)]
    assert scorer.score_now(rows) is None  # how long they take is not known yet
    assert asyncio.run(scorer.score_rows(rows)) == [list(range(300)), list(range(0, 600, 2))]
    assert sum(model.calls) == 300
    assert max(model.calls) <= 50
    assert scorer.lets_pass(300)
    assert not scorer.lets_pass(10)


def test_a_row_is_named_by_its_place_in_the_request() -> None:
    scorer, _ = _front(timeout=9)
    with pytest.raises(InvalidInput, match=r"^Row 130: field 'x' is -1, expected a number from 0\.$"):
        asyncio.run(scorer.score_rows([(n,) for n in range(130)] + [(-1,)]))


def test_what_is_late_ends_at_the_next_slice() -> None:
    scorer, model = _front(timeout=0.2)
    with pytest.raises(Late):
        asyncio.run(scorer.score_rows([(1,)] * 100_000))
    assert sum(model.calls) < 1000
