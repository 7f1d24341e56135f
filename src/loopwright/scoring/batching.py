"""Joins the rows of several requests into one call of the model, and hands the answers back to their requests.

It never waits while the model is idle: what has queued while the last call ran is the next call. A model that answers
quickly is asked on the event loop itself, since handing over to a thread and back takes longer than it does; any other
answers elsewhere, and the loop goes on. A call that fails is made again for each request alone, so that one bad row fails
alone. So is one that was ended because it took too long, where the requests have time left: a request may wait
limits.queue_wait and then take limits.timeout, so what it did not wait is left to it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Protocol

import msgspec

from loopwright.scoring.refusals import (
    Draining,
    Failed,
    InvalidInput,
    Late,
    QueueFull,
    Refusal,
    WaitedTooLong,
)
from loopwright.scoring.rows import Row
from loopwright.scoring.settings import Batching, Limits
from loopwright.scoring.telemetry import Telemetry

Columns = list[list[Any]]  # one list for each output, as long as the rows
_LOOKS = 20  # looks at the clock in the shortest time that is limited
_SHORTEST_LOOK = 0.005  # seconds
_LEAST = 0.001  # seconds for which a call is begun at all


class Model(Protocol):
    """What answers batches."""

    @property
    def parallel(self) -> int:
        """How many calls it takes at once."""
        ...

    def score_now(self, rows: list[Row]) -> Columns | None:
        """The answers at once, or None where that would hold up the event loop; raises Failed or InvalidInput."""
        ...

    async def score_rows(self, rows: list[Row], within: float | None = None) -> Columns:
        """The answers, one list for each output; raises Refusal, Late after limits.timeout seconds, or `within` so many."""
        ...

    @property
    def ends_late(self) -> bool:
        """Whether a call that raised Late is over, so that its rows may be asked again."""
        ...

    def lets_pass(self, rows: int) -> bool:
        """Whether a call of so many rows lets another be made while it runs, beyond `parallel`."""
        ...


class Asked(msgspec.Struct, eq=False, gc=False):
    """The rows of one request, waiting for a call or in one; `answer` ends with their columns, or with a Refusal."""

    rows: list[Row]
    answer: asyncio.Future[Columns]
    since: float  # the loop's time when it came
    until: float = 0.0  # when it is late, once its call has begun


class Batcher:
    """In front of one model with so many `outputs`; everything happens on one event loop."""

    def __init__(
        self, model: Model, outputs: int, limits: Limits, batching: Batching, telemetry: Telemetry
    ) -> None:
        self._model = model
        self._outputs = outputs
        self._limits = limits
        self._most = batching.rows
        self._wait = batching.wait
        self._telemetry = telemetry
        self._room = limits.concurrency + limits.queue
        self._loop: asyncio.AbstractEventLoop | None = None
        self._line: deque[Asked] = deque()
        self._calls: set[asyncio.Task[None]] = set()
        self._passing: set[asyncio.Task[None]] = set()  # of these, such as let others pass
        self._inside: set[Asked] = set()  # requests in calls that run elsewhere
        self._due: asyncio.Handle | None = None
        self._look_every = max(_SHORTEST_LOOK, min(limits.queue_wait, limits.timeout) / _LOOKS)
        self._looking: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        """Requests in a call."""
        return len(self._inside)

    @property
    def queued(self) -> int:
        """Requests that wait for one."""
        return len(self._line)

    @property
    def full(self) -> bool:
        """Whether a request that came now could not even wait."""
        return len(self._line) + len(self._inside) >= self._room

    def check(self) -> None:
        """Raise QueueFull if it is full."""
        if self.full:
            raise QueueFull(
                f"This replica works on {len(self._inside)} requests and {len(self._line)} wait, as many as may. Try again later."
            )

    def submit(self, rows: list[Row]) -> asyncio.Future[Columns]:
        """The answers to these rows, to be awaited: raises Refusal there, and QueueFull here."""
        if len(self._line) + len(self._inside) >= self._room:
            self.check()
        loop = self._loop or self._running()
        asked = Asked(rows, loop.create_future(), loop.time())
        if not rows:
            asked.answer.set_result([[] for _ in range(self._outputs)])
            return asked.answer
        self._line.append(asked)
        if self._due is None or self._wait:
            self._plan()
        return asked.answer

    def abandon(self) -> None:
        """Send away all that waits or is in a call, because the replica ends."""
        for asked in (*self._line, *self._inside):
            _fail(asked, Draining("This replica is ending and could not finish the request. Try again."))
        self._line.clear()

    def _running(self) -> asyncio.AbstractEventLoop:
        """The event loop, asked for once: asyncio asks the kernel for the process's id each time."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def _plan(self) -> None:
        """Have a call made: as soon as whatever has come by now is in the line, or once company has been waited for."""
        loop = self._running()
        if not self._may_call():
            self._watch()
        elif not self._wait:
            self._due = loop.call_soon(self._begin)
        elif sum(len(asked.rows) for asked in self._line) >= self._most:
            self._begin()
        elif self._due is None:
            self._due = loop.call_at(self._line[0].since + self._wait, self._begin)

    def _begin(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        while self._line and self._may_call():
            batch = self._take()
            if batch:
                self._call(batch)
        if self._line:
            self._watch()

    def _may_call(self) -> bool:
        calls, parallel = len(self._calls), self._model.parallel
        return calls < parallel or (
            bool(self._passing) and calls < parallel + min(len(self._passing), self._limits.concurrency)
        )

    def _take(self) -> list[Asked]:
        """The next requests for one call, without those that nobody waits for any more or that have waited too long."""
        batch: list[Asked] = []
        line, now, rows = self._line, self._running().time(), 0
        oldest, until = now - self._limits.queue_wait, now + self._limits.timeout
        observe = self._telemetry.queue_wait_seconds.observe
        while line and (not batch or rows + len(line[0].rows) <= self._most):
            asked = line.popleft()
            if asked.answer.done():
                continue
            if asked.since < oldest:
                self._send_away(asked)
                continue
            observe(now - asked.since)
            asked.until = until
            rows += len(asked.rows)
            batch.append(asked)
        return batch

    def _call(self, batch: list[Asked]) -> None:
        rows = batch[0].rows if len(batch) == 1 else [row for asked in batch for row in asked.rows]
        self._telemetry.batch_rows.observe(len(rows))
        try:
            columns = self._model.score_now(rows)
        except Refusal:
            self._elsewhere(batch, None)
            return
        if columns is None:
            self._elsewhere(batch, rows)
        else:
            _deliver(batch, columns)

    def _elsewhere(self, batch: list[Asked], rows: list[Row] | None) -> None:
        self._inside.update(batch)
        self._give_all_time(batch)
        task = self._running().create_task(self._run(batch, rows))
        self._calls.add(task)
        if rows and self._model.lets_pass(len(rows)):
            self._passing.add(task)
        task.add_done_callback(self._ended)
        self._watch()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self._passing.discard(task)
        if self._line and self._due is None:
            self._begin()

    async def _run(self, batch: list[Asked], rows: list[Row] | None) -> None:
        """One call for all, or where that fails (or `rows` is None, because it has) for parts of them, down to the bad."""
        try:
            parts = _each(batch) if rows is None else await self._score(batch, rows)
            while parts:
                part = [asked for asked in parts.pop() if not asked.answer.done()]
                now = self._running().time()
                for asked in part:
                    asked.until = now + self._limits.timeout
                self._give_all_time(part)
                if part:
                    parts += await self._score(part, [row for asked in part for row in asked.rows])
        finally:
            self._inside.difference_update(batch)

    async def _score(self, batch: list[Asked], rows: list[Row]) -> list[list[Asked]]:
        """What is left to be asked again, in parts: nothing where all are answered, or refused for good."""
        try:
            columns = await self._model.score_rows(rows)
        except (Failed, InvalidInput) as refusal:
            if len(batch) > 1:
                raised = isinstance(refusal, Failed) and refusal.traceback
                return _halves(batch) if raised else _each(batch)
            _fail(batch[0], refusal)
        except Refusal as refusal:
            if isinstance(refusal, Late) and len(batch) > 1 and self._model.ends_late:
                await self._apart(batch)
            for asked in batch:
                _fail(asked, refusal)
        else:
            _deliver(batch, columns)
        return []

    def _give_all_time(self, batch: list[Asked]) -> None:
        """Where a call may be made again, each request of several has all the time that it may take from its coming."""
        if len(batch) > 1 and self._model.ends_late:
            most = self._limits.queue_wait + self._limits.timeout
            for asked in batch:
                asked.until = max(asked.until, asked.since + most)

    async def _apart(self, batch: list[Asked]) -> None:
        """The requests of a call that was too long, once more and each alone: in what time is left, shared evenly, and those
        of fewer rows first, since the one that made it late is rather of many."""
        left = deque(sorted(batch, key=lambda asked: len(asked.rows)))
        while left:
            asked = left.popleft()
            waiting = 1 + sum(not one.answer.done() for one in left)
            seconds = (asked.until - self._running().time()) / waiting
            if seconds < _LEAST or asked.answer.done():
                continue
            try:
                async with asyncio.timeout_at(
                    asked.until
                ):  # it may wait for a worker that takes the ended one's place
                    _settle(asked, await self._model.score_rows(asked.rows, seconds))
            except TimeoutError:
                continue
            except Refusal as refusal:
                _fail(asked, refusal)

    def _watch(self) -> None:
        """Look at the clock now and then while requests wait or a call runs elsewhere: dearer would be a timer for each."""
        if self._looking is None:
            self._looking = self._running().call_later(self._look_every, self._look)

    def _look(self) -> None:
        self._looking = None
        now = self._running().time()
        oldest = now - self._limits.queue_wait
        while self._line and (self._line[0].since < oldest or self._line[0].answer.done()):
            self._send_away(self._line.popleft())  # or its client is gone
        for asked in self._inside:
            if asked.until < now:
                _fail(asked, Late(f"No answer within {self._limits.timeout:g} s."))
        if self._line or self._inside:
            self._watch()

    def _send_away(self, asked: Asked) -> None:
        _fail(
            asked, WaitedTooLong(f"No place came free within {self._limits.queue_wait:g} s. Try again later.")
        )


def _halves(batch: list[Asked]) -> list[list[Asked]]:
    """For an exception, which costs nothing but the call: few calls find the bad row among many."""
    middle = len(batch) // 2
    return [batch[middle:], batch[:middle]]


def _each(batch: list[Asked]) -> list[list[Asked]]:
    """For what costs a worker process: no more than one dies of a bad row again."""
    return [[asked] for asked in reversed(batch)]


def _deliver(batch: list[Asked], columns: Columns) -> None:
    if len(batch) == 1:
        _settle(batch[0], columns)
        return
    start = 0
    for asked in batch:
        end = start + len(asked.rows)
        if not asked.answer.done():
            asked.answer.set_result([column[start:end] for column in columns])
        start = end


def _settle(asked: Asked, columns: Columns) -> None:
    if not asked.answer.done():
        asked.answer.set_result(columns)


def _fail(asked: Asked, refusal: Refusal) -> None:
    if not asked.answer.done():
        asked.answer.set_exception(refusal)
