"""The calls of a worker pool on their way to its workers: who waits, who is sent where, and what is taken back.

A worker that scores one call at a time is sent the next one while it is still at it, so that it need not wait for the front's
turn between two calls. Until it has begun that one, it can be taken back: for another worker that has nothing to do, or
because nobody waits for it any more. Its time begins when the worker does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection

from loopwright.scoring.settings import Settings
from loopwright.scoring.worker import Call, WorkerProcess

_AHEAD = 1  # calls that a worker is sent while it is at others

Overdue = Callable[[WorkerProcess, Call], None]


class Line:
    """Hands calls to `workers`, as these come and go; `overdue` hears of a call whose worker takes too long."""

    def __init__(self, settings: Settings, workers: Collection[WorkerProcess], overdue: Overdue) -> None:
        several = settings.workers > 1
        # Of what is taken back it cannot be ruled out altogether that its worker begins it at that very moment.
        self._ahead = 0 if settings.thread_safe or (several and not settings.idempotent) else _AHEAD
        self._shares = several and self._ahead > 0
        self._workers = workers
        self._overdue = overdue
        self._calls: deque[Call] = deque()

    def add(self, call: Call) -> None:
        """Have it scored as soon as its turn has come."""
        self._calls.append(call)
        self.move()

    def withdraw(self, call: Call) -> None:
        """Nobody waits for it any more: where it has not begun, it never will."""
        if call.worker is not None:
            call.worker.take_back(call)
        elif call in self._calls:
            self._calls.remove(call)

    def put_first(self, calls: list[Call]) -> None:
        """Have these scored before all others; no worker has them any more."""
        for call in calls:
            call.stop_timer()
            call.worker = None
        self._calls.extendleft(reversed(calls))
        self.move()

    def clear(self) -> list[Call]:
        """All that wait or are with a worker; from now on nobody waits."""
        waiting = [*self._calls, *(call for worker in self._workers for call in worker.calls.values())]
        self._calls.clear()
        return waiting

    def over(self, worker: WorkerProcess, call: Call, left_out: bool = False) -> None:
        """The worker is done with a call, or has left it out: it begins the next one that it has."""
        call.stop_timer()
        if left_out:
            call.worker = None
            self._calls.appendleft(call)
        following = next(iter(worker.calls.values()), None)
        if following is not None and following.timer is None:
            self._time(worker, following)
        self.move()

    def move(self) -> None:
        """Send what can be sent."""
        calls = self._calls
        while calls:
            worker = self._next()
            if worker is None:
                return
            call = calls.popleft()
            if not call.answer.done():
                self._send(worker, call)
        if self._shares:
            self._share()

    def _next(self) -> WorkerProcess | None:
        """The worker that will be at the next call first, as far as one can tell."""
        best = None
        for worker in self._workers:
            if worker.room + self._ahead > 0 and (best is None or worker.room > best.room):
                best = worker
        return best

    def _send(self, worker: WorkerProcess, call: Call) -> None:
        if worker.room > 0:
            self._time(worker, call)
        worker.send(call)

    def _time(self, worker: WorkerProcess, call: Call) -> None:
        loop = asyncio.get_running_loop()
        call.timer = loop.call_later(call.seconds, self._overdue, worker, call)

    def _share(self) -> None:
        """Give a worker without a call what another has not begun."""
        idle = [worker for worker in self._workers if worker.room > 0]
        for busy in self._workers if idle else ():
            call = busy.ahead()
            if call is not None and not call.answer.done() and busy.take_back(call):
                self._send(idle.pop(), call)
                if not idle:
                    return
