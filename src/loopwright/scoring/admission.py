"""How many requests may be worked on and how many may wait; the service asks here before it scores anything.

Places are handed on in order of arrival. Time is the event loop's, so tests run it on a virtual one.
"""

from __future__ import annotations

import asyncio
from collections import deque

from loopwright.scoring.refusals import Draining, QueueFull, WaitedTooLong
from loopwright.scoring.settings import Limits


class Admission:
    """At most `limits.concurrency` requests inside, and at most `limits.queue` waiting to come in."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.inside = 0

    @property
    def queued(self) -> int:
        """How many wait now."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether a request that came now could neither come in nor wait."""
        return self.inside >= self._limits.concurrency and len(self._waiting) >= self._limits.queue

    def check(self) -> None:
        """Raise QueueFull if it is full."""
        if self.full:
            raise QueueFull(
                f"This replica works on {self.inside} requests and {len(self._waiting)} wait, as many as may. Try again later."
            )

    async def enter(self) -> float:
        """Come in, waiting for a place if need be; returns the seconds waited. Every return needs one `leave()`.

        Raises QueueFull at once, or WaitedTooLong after limits.queue_wait.
        """
        if self.inside < self._limits.concurrency:
            self.inside += 1
            return 0.0
        self.check()
        loop = asyncio.get_running_loop()
        arrived = loop.time()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        timer = loop.call_later(self._limits.queue_wait, self._give_up, turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._withdraw(turn)
            raise
        finally:
            timer.cancel()
        return loop.time() - arrived

    def leave(self) -> None:
        """Give the place to whoever waits longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.inside -= 1

    def abandon(self) -> None:
        """Send away all who wait, because the replica ends."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(Draining("This replica is ending. Try again."))

    def _give_up(self, turn: asyncio.Future[None]) -> None:
        if not turn.done():
            self._waiting.remove(turn)  # waits are equally long, so it is the first: no search
            turn.set_exception(
                WaitedTooLong(f"No place came free within {self._limits.queue_wait:g} s. Try again later.")
            )

    def _withdraw(self, turn: asyncio.Future[None]) -> None:
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif not turn.cancelled() and turn.exception() is None:
            self.leave()  # the place had just been given to a request that is gone
