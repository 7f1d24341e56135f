"""Reading a request's body within bounds: the server under us has none of its own.

Bodies that are being read hold memory and may come slowly, so all of them together stay within a budget, and each
within a time. They do not take a place in the queue meanwhile: slow clients must not shut out quick ones. For the same
reason larger bodies, while they come, have but a part of the budget of all that is held.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any, Protocol

from loopwright.scoring.budget import Budget
from loopwright.scoring.refusals import (
    BodyCutShort,
    BodyTooLarge,
    BodyTooSlow,
    TooManyBytes,
    UnknownEncoding,
)
from loopwright.scoring.settings import Limits

_COMING = 64 * 1024 * 1024  # bytes of larger bodies being read at once; never less than one largest body
_SMALL = 64 * 1024  # bytes of a body that is read without ado
_LOOKS = 20  # looks at the clock in the time that a body may take
_MOST_DISCARDED = 64 * 1024 * 1024  # bytes read and dropped so that a client gets its refusal
_DISCARD_TIME = 5.0  # seconds for that


class CutShort(Exception):  # noqa: N818  (what a client did, not what is wrong here)
    """The connection ended before the body did."""


class Incoming(Protocol):
    """The body's side of a request, as the server gives it: to be asked for once, in one of two ways."""

    async def __call__(self) -> bytes:
        """The whole body; raises CutShort."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Its chunks; raises CutShort."""
        ...


class Body:
    """A request's body, which may be read whole, or in chunks as far as one likes, and then be done away with."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._chunks: AsyncIterator[bytes] | None = None
        self._read = False

    async def whole(self) -> bytes:
        """All of it; raises CutShort."""
        self._read = True
        return await self._incoming()

    async def chunk(self) -> bytes | None:
        """The next chunk, or None after the last."""
        if self._chunks is None:
            self._chunks = aiter(self._incoming)
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            return None

    async def discard(self) -> None:
        """Read what a refused client still sends, within bounds: were it cut off, it might never see why."""
        left = 0 if self._read else _MOST_DISCARDED
        try:
            async with asyncio.timeout(_DISCARD_TIME):
                while left > 0 and (chunk := await self.chunk()) is not None:
                    left -= len(chunk)
        except (TimeoutError, CutShort):
            return


class _Room:
    """How many bytes of larger bodies may still come at once."""

    def __init__(self, left: int) -> None:
        self.left = left


class _Coming:
    """One larger body that comes: its bytes so far, or all of them where their number was told."""

    def __init__(self, budget: Budget, room: _Room) -> None:
        self._budget, self._room = budget, room
        self._size = 0

    def take(self, size: int) -> None:
        """Make room for so many more; raises TooManyBytes."""
        if size > self._room.left:
            raise TooManyBytes("This replica is receiving as many bytes as it may. Try again later.")
        self._budget.take(size)
        self._room.left -= size
        self._size += size

    def end(self, kept: int) -> None:
        """It comes no more; so many of its bytes stay taken."""
        self._room.left += self._size
        self._budget.give(self._size - kept)


class BodyReader:
    """Reads bodies of up to limits.max_body bytes into a budget; who asked for one gives its bytes back to that."""

    def __init__(self, limits: Limits, budget: Budget) -> None:
        self._limits = limits
        self._budget = budget
        self._room = _Room(max(_COMING, limits.max_body))
        self._small = min(_SMALL, limits.max_body)
        self._reading: dict[
            int, tuple[asyncio.Task[Any], float]
        ] = {}  # small bodies, in the order of their coming
        self._numbers = itertools.count()
        self._looking = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def small(self, length: str | None, encoding: str | None) -> int:
        """The size of a body for which `read_small` will do, given its headers: most are, and their way is to be a short
        one. 0 where `read` is to be asked, which also says what is wrong."""
        if length is None or encoding:
            return 0
        size, budget = int(length), self._budget
        return size if size <= self._small and budget.held + size <= budget.most else 0

    async def read_small(self, incoming: Incoming) -> bytes:
        """The whole of a small body, whose bytes the caller has taken; raises Refusal. One look at the clock for many does
        for a timer for each."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()  # once: it asks the kernel for the process's id each time
        number, loop = next(self._numbers), self._loop
        task = asyncio.current_task(loop)
        assert task is not None  # noqa: S101  (the server runs each request in a task)
        self._reading[number] = (task, loop.time())
        if not self._looking:
            self._look()
        try:
            return await incoming()
        except CutShort as error:
            raise _cut_short() from error
        except asyncio.CancelledError:
            if number in self._reading or task.uncancel():
                raise
            raise self._too_slow() from None
        finally:
            self._reading.pop(number, None)

    def _look(self) -> None:
        """Send away whoever is too slow; again and again while small bodies are being read."""
        loop = asyncio.get_running_loop()
        latest = loop.time() - self._limits.timeout
        for number, (task, began) in list(self._reading.items()):
            if began > latest:
                break
            del self._reading[number]
            task.cancel()
        self._looking = bool(self._reading)
        if self._looking:
            loop.call_later(self._limits.timeout / _LOOKS, self._look)

    async def read(self, body: Body, length: str | None, encoding: str | None) -> bytes:
        """The whole body, given its Content-Length and Content-Encoding, its bytes taken; raises Refusal, having taken none."""
        if encoding and encoding.strip().lower() != "identity":
            raise UnknownEncoding(
                f"The body has Content-Encoding {encoding!r}, expected none: send it uncompressed."
            )
        if length is not None and int(length) > self._limits.max_body:
            raise BodyTooLarge(self._limits.max_body)
        coming, kept = _Coming(self._budget, self._room), 0
        try:
            async with asyncio.timeout(self._limits.timeout):
                if length is None:
                    content = await self._join(body, coming)
                else:
                    coming.take(int(length))
                    content = await body.whole()
            kept = len(content)
        except TimeoutError as error:
            raise self._too_slow() from error
        except CutShort as error:
            raise _cut_short() from error
        finally:
            coming.end(kept)
        return content

    async def _join(self, body: Body, coming: _Coming) -> bytes:
        joined = bytearray()
        while (chunk := await body.chunk()) is not None:
            if len(joined) + len(chunk) > self._limits.max_body:
                raise BodyTooLarge(self._limits.max_body)
            coming.take(len(chunk))
            joined += chunk
        return bytes(joined)

    def _too_slow(self) -> BodyTooSlow:
        return BodyTooSlow(f"The body was not there within {self._limits.timeout:g} s.")


def _cut_short() -> BodyCutShort:
    return BodyCutShort("The body ended before its announced end.")
