"""Rows of several requests are joined, answered, and handed back to whom they belong."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.scoring.batching import Batcher, Columns
from loopwright.scoring.logs import Log
from loopwright.scoring.refusals import Draining, Failed, Late, QueueFull, Refusal, WaitedTooLong
from loopwright.scoring.rows import Row
from loopwright.scoring.settings import Batching, Limits, Settings
from loopwright.scoring.telemetry import Telemetry

Virtual = Callable[[Any], Any]


class _Doubler:
    """Answers a row (x,) with (x, 2x); a row (None,) fails the call it is in. Takes `seconds` where that is not 0."""

    parallel = 1
    ends_late = False

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.calls: list[list[Row]] = []

    def score_now(self, rows: list[Row]) -> Columns | None:
        return None if self.seconds else self._score(rows)

    def lets_pass(self, rows: int) -> bool:
        return False

    async def score_rows(self, rows: list[Row], within: float | None = None) -> Columns:
        await asyncio.sleep(self.seconds)
        return self._score(rows)

    def _score(self, rows: list[Row]) -> Columns:
        self.calls.append(rows)
        if (None,) in rows:
            raise Failed("failed", "a bad row")
        return [[x for (x,) in rows], [2 * x for (x,) in rows]]


def _batcher(model: _Doubler, wait: float = 0.0, rows: int = 64, **limits: Any) -> Batcher:
    settings = Settings(workload="w", environment="e", revision="r", package="/p")
    telemetry = Telemetry(settings, Log(io.StringIO()))
    return Batcher(model, 2, Limits(**limits), Batching(rows=rows, wait=wait), telemetry)


async def _all(*answers: Any) -> list[Any]:
    return await asyncio.gather(*answers, return_exceptions=True)


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=5), max_size=20), st.integers(1, 8))
def test_each_request_gets_the_answers_to_its_own_rows(requests: list[list[int]], most: int) -> None:
    async def main() -> None:
        model = _Doubler()
        batcher = _batcher(model, rows=most)
        answers = await _all(*[batcher.submit([(x,) for x in request]) for request in requests])
        assert answers == [[request, [2 * x for x in request]] for request in requests]
        assert all(len(call) <= max(most, max(map(len, requests))) for call in model.calls)

    asyncio.run(main())


def test_what_came_together_is_one_call_and_what_queued_meanwhile_the_next(virtual: Virtual) -> None:
    async def main() -> None:
        model = _Doubler(seconds=1)
        batcher = _batcher(model)
        first = [batcher.submit([(1,)]), batcher.submit([(2,)])]
        await asyncio.sleep(0.5)
        later = [batcher.submit([(x,)]) for x in (3, 4, 5)]
        await _all(*first, *later)
        assert model.calls == [[(1,), (2,)], [(3,), (4,), (5,)]]
        assert asyncio.get_running_loop().time() == pytest.approx(2)

    virtual(main())


def test_a_bad_row_fails_alone(virtual: Virtual) -> None:
    async def main() -> None:
        batcher = _batcher(_Doubler())
        answers = await _all(*[batcher.submit([(x,)]) for x in (1, None, 3)])
        assert answers[0] == [[1], [2]]
        assert isinstance(answers[1], Failed)
        assert answers[2] == [[3], [6]]

    virtual(main())


def test_few_calls_find_the_row_that_made_a_script_raise(virtual: Virtual) -> None:
    class Raising(_Doubler):
        def _score(self, rows: list[Row]) -> Columns:
            self.calls.append(rows)
            if (None,) in rows:
                raise Failed("failed", "a bad row", "Traceback")
            return [[x for (x,) in rows], [2 * x for (x,) in rows]]

    async def main() -> None:
        model = Raising(seconds=0.01)
        batcher = _batcher(model, concurrency=64)
        answers = await _all(*[batcher.submit([(None if n == 41 else n,)]) for n in range(64)])
        assert [n for n, answer in enumerate(answers) if isinstance(answer, Failed)] == [41]
        assert all(answers[n] == [[n], [2 * n]] for n in range(64) if n != 41)
        assert len(model.calls) == 13  # one for all, then two halves at each of six steps

    virtual(main())


def test_company_is_waited_for_no_longer_than_said(virtual: Virtual) -> None:
    async def main() -> None:
        model = _Doubler()
        batcher = _batcher(model, wait=0.5, rows=3)
        loop = asyncio.get_running_loop()
        early = batcher.submit([(1,)])
        await asyncio.sleep(0.25)
        await _all(early, batcher.submit([(2,)]))
        assert model.calls == [[(1,), (2,)]]
        assert loop.time() == pytest.approx(0.5)
        await _all(*[batcher.submit([(x,)]) for x in range(3)])
        assert loop.time() == pytest.approx(0.5)  # a full call waits for nobody

    virtual(main())


@pytest.mark.parametrize(
    ("limits", "refusal", "at"),
    [({"queue_wait": 1, "timeout": 9}, WaitedTooLong, 1), ({"queue_wait": 9, "timeout": 2}, Late, 2)],
)
def test_who_waits_too_long_is_told_on_time(
    virtual: Virtual, limits: dict[str, float], refusal: type[Refusal], at: float
) -> None:
    async def main() -> None:
        batcher = _batcher(_Doubler(seconds=5), **limits)
        first = batcher.submit([(1,)])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = batcher.submit([(2,)])
        with pytest.raises(refusal):
            await (second if refusal is WaitedTooLong else first)
        assert at <= asyncio.get_running_loop().time() <= at * 1.2
        await _all(first, second)

    virtual(main())


class _Hanging(_Doubler):
    """A row (None,) makes its call last until it is ended, as a worker's is."""

    ends_late = True
    timeout = 5.0

    async def score_rows(self, rows: list[Row], within: float | None = None) -> Columns:
        self.calls.append(rows)
        if (None,) in rows:
            await asyncio.sleep(within or self.timeout)
            raise Late("late")
        await asyncio.sleep(self.seconds)
        return [[x for (x,) in rows], [2 * x for (x,) in rows]]


def test_a_request_that_makes_a_call_late_is_late_alone(virtual: Virtual) -> None:
    async def main() -> None:
        model = _Hanging(seconds=0.01)
        batcher = _batcher(model, concurrency=64, timeout=5, queue_wait=2)
        asked = [batcher.submit([(None if n == 3 else n,)]) for n in range(8)]
        asked.append(batcher.submit([(8,), (9,)]))
        answers = await _all(*asked)
        assert isinstance(answers[3], Late)
        assert [answers[n] for n in (0, 4, 8)] == [[[0], [0]], [[4], [8]], [[8, 9], [16, 18]]]
        assert not any(isinstance(answer, Refusal) for n, answer in enumerate(answers) if n != 3)
        assert 5 < asyncio.get_running_loop().time() < 7
        assert [len(call) for call in model.calls] == [10, *[1] * 8, 2]  # all together, then each once more

    virtual(main())


@pytest.mark.parametrize(("queue_wait", "again"), [(0.0, True), (2.0, False)])
def test_who_has_no_time_left_or_may_not_begin_again_is_late_with_the_call(
    virtual: Virtual, queue_wait: float, again: bool
) -> None:
    async def main() -> None:
        model = _Hanging(seconds=0.01)
        model.ends_late = again
        batcher = _batcher(model, concurrency=64, timeout=5, queue_wait=queue_wait)
        answers = await _all(*[batcher.submit([(None if n == 3 else n,)]) for n in range(8)])
        assert {type(answer) for answer in answers} == {Late}
        assert asyncio.get_running_loop().time() == pytest.approx(5, abs=0.3)
        assert len(model.calls) == 1

    virtual(main())


def test_what_lets_others_pass_holds_up_nobody(virtual: Virtual) -> None:
    class Slicing(_Doubler):
        def lets_pass(self, rows: int) -> bool:
            return rows > 10

        async def score_rows(self, rows: list[Row], within: float | None = None) -> Columns:
            await asyncio.sleep(len(rows))
            return self._score(rows)

    async def main() -> None:
        batcher = _batcher(Slicing(seconds=1), rows=10, queue_wait=9, timeout=99)
        large = batcher.submit([(1,)] * 50)
        first, second = batcher.submit([(2,)]), batcher.submit([(3,)] * 10)
        await first
        assert asyncio.get_running_loop().time() == 1
        await second
        assert (
            asyncio.get_running_loop().time() == 11
        )  # these two one after the other: only beyond the large one
        await large
        assert asyncio.get_running_loop().time() == 50

    virtual(main())


def test_no_more_wait_than_may_and_none_at_the_end(virtual: Virtual) -> None:
    async def main() -> None:
        batcher = _batcher(_Doubler(seconds=5), concurrency=1, queue=1)
        waiting = [batcher.submit([(1,)]), batcher.submit([(2,)])]
        with pytest.raises(QueueFull):
            batcher.submit([(3,)])
        batcher.abandon()
        assert [type(one) for one in await _all(*waiting)] == [Draining, Draining]
        assert batcher.queued == 0

    virtual(main())
