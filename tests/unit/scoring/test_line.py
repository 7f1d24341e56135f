"""Who is sent which call and when, and what is taken back, by real worker records without processes behind them."""

from __future__ import annotations

import asyncio
import mmap
from typing import Any

import pytest

from loopwright.scoring import worker_shim as shim
from loopwright.scoring.line import Line
from loopwright.scoring.settings import Settings
from loopwright.scoring.worker import Call, WorkerProcess


class _Wire:
    """Takes what is written, and keeps the numbers of the calls."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def write(self, data: bytes) -> None:
        self.numbers.append(shim.REQUEST.unpack_from(data)[1])


def _ignore(*_: Any) -> None:
    """For what no test asks about."""


class _Pool:
    """A line and its workers; `late` collects what takes too long."""

    def __init__(self, workers: int = 1, **more: Any) -> None:
        settings = Settings(workload="w", environment="e", revision="r", package="/", workers=workers, **more)
        self.late: list[Call] = []
        self.workers = [self._worker(slot) for slot in range(workers)]
        self.line = Line(settings, self.workers, lambda _worker, call: self.late.append(call))

    def _worker(self, slot: int) -> WorkerProcess:
        marker = mmap.mmap(-1, shim.MARKER_SIZE)
        worker = WorkerProcess(slot, _ignore, _ignore, None, marker, 1, ready=True)  # type: ignore[arg-type]
        worker.connection_made(_Wire())  # type: ignore[arg-type]
        return worker

    def add(self) -> Call:
        call = Call(shim.TEXT, b"{}", asyncio.get_running_loop().create_future(), 5.0)
        self.line.add(call)
        return call

    def begin(self, call: Call) -> None:
        """What the worker does when it comes to a call."""
        assert call.worker is not None
        shim.MARKER.pack_into(call.worker.marker, 0, call.number)

    def answer(self, call: Call) -> None:
        assert call.worker is not None
        call.answer.set_result(None)  # type: ignore[arg-type]
        self.line.over(call.worker, call.worker.calls.pop(call.number))


def _left_out(worker: WorkerProcess, number: int) -> bool:
    """Whether the worker would leave this call out."""
    return bool(shim.MARKER.unpack_from(worker.marker, shim.withdrawn_at(number))[0] == number)


def test_a_worker_is_sent_one_call_more_than_it_is_at(virtual: Any) -> None:
    async def test() -> None:
        pool = _Pool()
        first, second, third = pool.add(), pool.add(), pool.add()
        assert [first.number, second.number, third.number] == [1, 2, 0]
        assert first.timer
        assert not second.timer  # its time has not begun
        pool.answer(first)
        assert second.timer
        assert third.number == 3

    virtual(test())


@pytest.mark.parametrize("more", [{"thread_safe": True}, {"workers": 2, "idempotent": False}])
def test_nothing_is_sent_ahead_where_it_could_run_twice_or_at_once(
    virtual: Any, more: dict[str, Any]
) -> None:
    async def test() -> None:
        pool = _Pool(**more)
        calls = [pool.add() for _ in range(3)]
        assert sum(call.worker is not None for call in calls) == len(pool.workers)

    virtual(test())


def test_a_worker_without_a_call_gets_what_another_has_not_begun(virtual: Any) -> None:
    async def test() -> None:
        pool = _Pool(2)
        calls = [pool.add() for _ in range(4)]
        busy, idle = calls[0].worker, calls[1].worker
        (ahead,) = [call for call in calls[2:] if call.worker is busy]
        (own,) = [call for call in calls[2:] if call.worker is idle]
        number = ahead.number
        for call in calls[:2]:
            pool.begin(call)
        pool.answer(calls[1])
        pool.begin(own)
        assert ahead.worker is busy  # the other has one of its own
        pool.answer(own)
        assert ahead.worker is idle
        assert ahead.timer
        assert busy is not None
        assert _left_out(busy, number)
        pool.answer(ahead)
        assert busy.calls[number].answer.cancelled()  # what is left of it there is nobody's

    virtual(test())


def test_what_has_begun_is_not_taken_back(virtual: Any) -> None:
    async def test() -> None:
        pool = _Pool(2)
        calls = [pool.add() for _ in range(3)]
        pool.begin(calls[2])
        (idle,) = [call for call in calls[:2] if call.worker is not calls[2].worker]
        before = calls[2].worker
        pool.answer(idle)
        assert calls[2].worker is before
        assert before is not None
        assert not _left_out(before, calls[2].number)

    virtual(test())


def test_what_nobody_waits_for_is_taken_back_from_a_worker_and_from_the_line(virtual: Any) -> None:
    async def test() -> None:
        pool = _Pool()
        first, ahead, waiting = pool.add(), pool.add(), pool.add()
        pool.begin(first)
        for call in (first, ahead, waiting):
            call.answer.cancel()
            pool.line.withdraw(call)
        assert [_left_out(pool.workers[0], number) for number in (1, 2)] == [False, True]
        assert pool.line.clear() == [first, pool.workers[0].calls[2]]

    virtual(test())


def test_a_late_call_is_told_when_its_own_time_is_over(virtual: Any) -> None:
    async def test() -> None:
        pool = _Pool()
        first, second = pool.add(), pool.add()
        await asyncio.sleep(4.9)
        pool.answer(first)
        await asyncio.sleep(4.9)
        assert pool.late == []
        await asyncio.sleep(0.2)
        assert pool.late == [second]

    virtual(test())


def test_what_was_left_out_although_it_is_wanted_goes_first_again(virtual: Any) -> None:
    async def test() -> None:
        pool = _Pool(2)
        calls = [pool.add() for _ in range(5)]
        worker, number = calls[2].worker, calls[2].number
        assert worker is not None
        (before,) = [call for call in calls[:2] if call.worker is worker]
        pool.answer(before)  # so that the last call is sent there too
        del worker.calls[number]
        pool.line.over(worker, calls[2], left_out=True)
        assert calls[2].worker is worker
        assert calls[2].number > number
        await asyncio.sleep(5.1)
        assert calls[2] not in pool.late  # it waits in the worker, behind the last call
        assert len(pool.late) == 2

    virtual(test())
