"""At most so many inside, at most so many waiting, none for too long; in order of arrival."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.scoring.admission import Admission
from loopwright.scoring.refusals import Draining, QueueFull, Refusal, WaitedTooLong
from loopwright.scoring.settings import Limits

Virtual = Callable[[Any], Any]


async def _visit(admission: Admission, stay: float) -> tuple[str, float]:
    """Come in, stay, leave; returns what happened and when it was known."""
    clock = asyncio.get_running_loop().time
    try:
        await admission.enter()
    except Refusal as refusal:
        return refusal.code, clock()
    came = clock()
    await asyncio.sleep(stay)
    admission.leave()
    return "in", came


def _visits(virtual: Virtual, limits: Limits, stays: list[float]) -> list[tuple[str, float]]:
    async def main() -> list[tuple[str, float]]:
        admission = Admission(limits)
        result = await asyncio.gather(*(_visit(admission, stay) for stay in stays))
        assert (admission.inside, admission.queued) == (0, 0)
        return result

    return virtual(main())  # type: ignore[no-any-return]


def test_places_pass_on_in_order_of_arrival(virtual: Virtual) -> None:
    limits = Limits(concurrency=2, queue=3, queue_wait=9)
    assert _visits(virtual, limits, [1, 2, 1, 1, 1]) == [
        ("in", 0),
        ("in", 0),
        ("in", 1),
        ("in", 2),
        ("in", 2),
    ]


def test_a_full_queue_refuses_at_once(virtual: Virtual) -> None:
    limits = Limits(concurrency=1, queue=1, queue_wait=9)
    assert _visits(virtual, limits, [1, 1, 1]) == [("in", 0), ("in", 1), ("queue-full", 0)]


def test_a_wait_ends_after_queue_wait(virtual: Virtual) -> None:
    limits = Limits(concurrency=1, queue=2, queue_wait=2)
    assert _visits(virtual, limits, [5, 1, 1]) == [("in", 0), ("waited-too-long", 2), ("waited-too-long", 2)]


def test_no_queue_at_all(virtual: Virtual) -> None:
    assert _visits(virtual, Limits(concurrency=1, queue=0), [1, 1]) == [("in", 0), ("queue-full", 0)]


def test_a_visitor_who_gives_up_leaves_no_gap(virtual: Virtual) -> None:
    async def main() -> None:
        admission = Admission(Limits(concurrency=1, queue=2))
        await admission.enter()
        first, second = asyncio.create_task(admission.enter()), asyncio.create_task(admission.enter())
        await asyncio.sleep(0)
        admission.leave()
        first.cancel()  # its turn had just come
        assert await second == 0
        assert (admission.inside, admission.queued) == (1, 0)
        third = asyncio.create_task(admission.enter())
        await asyncio.sleep(0)
        third.cancel()  # while it waits
        await asyncio.wait([third])
        assert (admission.inside, admission.queued) == (1, 0)

    virtual(main())


def test_abandoned_visitors_hear_of_it(virtual: Virtual) -> None:
    async def main() -> None:
        admission = Admission(Limits(concurrency=1, queue=2))
        await admission.enter()
        waiting = asyncio.create_task(admission.enter())
        await asyncio.sleep(0)
        admission.abandon()
        with pytest.raises(Draining):
            await waiting

    virtual(main())


def test_refusals_say_what_to_do() -> None:
    assert issubclass(QueueFull, Refusal)
    assert QueueFull.retry_after > 0
    assert WaitedTooLong.retry_after > 0


@given(
    stays=st.lists(st.floats(0.1, 5), max_size=12),
    concurrency=st.integers(1, 4),
    queue=st.integers(0, 4),
)
def test_bounds_hold_for_any_load(stays: list[float], concurrency: int, queue: int) -> None:
    async def main() -> list[tuple[str, float]]:
        admission = Admission(Limits(concurrency=concurrency, queue=queue, queue_wait=0.001))
        tasks = [asyncio.create_task(_visit(admission, stay / 1000)) for stay in stays]
        await asyncio.sleep(0)
        assert admission.inside == min(len(stays), concurrency)
        assert admission.queued == min(max(0, len(stays) - concurrency), queue)
        return await asyncio.gather(*tasks)

    refused = [code for code, _ in asyncio.run(main()) if code == "queue-full"]
    assert len(refused) == max(0, len(stays) - concurrency - queue)
