"""The requests of one set that an activator holds: in order of arrival, bounded, each for no longer than it may wait."""

from __future__ import annotations

import asyncio
from collections import deque

from loopwright.engines.local.activator_files import Sleeper
from loopwright.engines.local.activator_http import Refused

__all__ = ["Allowance", "HeldSet", "Memory"]

_MOST_BYTES = 64 * 1024 * 1024  # of all held bodies together
_RETRY_AFTER = 5  # seconds


class HeldSet:
    """Who waits for a replica of a set, and how many are at one. Time is the event loop's."""

    def __init__(self, sleeper: Sleeper) -> None:
        self.sleeper = sleeper
        self.asked = 0  # requests that ever came
        self.inside = 0  # requests that have no answer yet
        self._under_way = 0  # of these, given to a replica
        self._waiting: deque[asyncio.Future[str]] = deque()

    @property
    def held(self) -> int:
        """How many have not been given to a replica."""
        return self.inside - self._under_way

    def enter(self) -> None:
        """A request has come; each needs one `leave`, unless this raises Refused: as many wait as may."""
        self.asked += 1
        if self.held >= self.sleeper.places:
            message = f"{self.held} requests wait for a replica that starts, as many as may. Try again later."
            raise Refused(503, "queue-full", message, _RETRY_AFTER)
        self._refuse_if_failing()
        self.inside += 1

    def leave(self) -> None:
        """A request is answered, or has gone."""
        self.inside -= 1

    async def turn(self, deadline: float) -> str:
        """The socket of a replica that has room; each needs one `done`. Raises Refused where that is not in time."""
        place: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._hand_out()
        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(place)
        except BaseException as error:
            self._give_back(place)
            if isinstance(error, TimeoutError):
                message = f"No replica was ready within {self.sleeper.patience:g} s. Try again later."
                raise Refused(503, "not-ready", message, _RETRY_AFTER) from None
            raise

    def _give_back(self, place: asyncio.Future[str]) -> None:
        if not place.done():
            place.cancel()
        elif not place.cancelled() and place.exception() is None:
            self.done()

    def done(self) -> None:
        """A request is no longer at a replica."""
        self._under_way -= 1
        self._hand_out()

    def update(self, sleeper: Sleeper) -> None:
        """Other replicas are ready, or it has become clear that none will be."""
        self.sleeper = sleeper
        self._hand_out()
        try:
            self._refuse_if_failing()
        except Refused as refused:
            self.refuse(refused)

    def refuse(self, refused: Refused) -> None:
        """Send away all who wait."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_exception(refused)

    def _refuse_if_failing(self) -> None:
        if self.sleeper.failing and not self.sleeper.ready:
            message = "The replicas of this endpoint do not come up; `loopwright status` says why."
            raise Refused(503, "not-ready", message, _RETRY_AFTER)

    def _hand_out(self) -> None:
        ready = self.sleeper.ready
        while self._waiting and self._under_way < self.sleeper.concurrency * len(ready):
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(ready[self._under_way % len(ready)])
                self._under_way += 1


class Memory:
    """Bytes of held bodies, of all sets together."""

    def __init__(self, most: int = _MOST_BYTES) -> None:
        self.most, self.used = most, 0


class Allowance:
    """What one request's body may take of it, until it is let go."""

    def __init__(self, memory: Memory, most: int) -> None:
        self._memory, self._most, self._taken = memory, most, 0

    def take(self, size: int) -> None:
        """Raises Refused where the body, or all bodies together, would be too large."""
        if self._taken + size > self._most:
            message = f"The body is larger than {self._most} bytes; send fewer rows in a request."
            raise Refused(413, "body-too-large", message)
        if self._memory.used + size > self._memory.most:
            message = (
                "The requests that wait for a replica that starts are as large as may be. Try again later."
            )
            raise Refused(503, "queue-full", message, _RETRY_AFTER)
        self._taken += size
        self._memory.used += size

    def release(self) -> None:
        """The body is no longer held."""
        self._memory.used -= self._taken
        self._taken = 0
