"""Reading a request's body within bounds: the server under us has none of its own.

Bodies that are being read hold memory and may come slowly, so all of them together stay within a budget, and each
within a time. They do not take a place in the queue meanwhile: slow clients must not shut out quick ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

from loopwright.scoring.refusals import BodyCutShort, BodyTooLarge, BodyTooSlow, QueueFull, UnknownEncoding
from loopwright.scoring.settings import Limits

_BUDGET = 64 * 1024 * 1024  # bytes of bodies being read at once; never less than one largest body
_MOST_DISCARDED = 64 * 1024 * 1024  # bytes read and dropped so that a client gets its refusal
_DISCARD_TIME = 5.0  # seconds for that


class Incoming(Protocol):
    """The body's side of a request, as the server gives it: to be asked for once, in one of two ways."""

    async def __call__(self) -> bytes:
        """The whole body; ProtocolClosed where it was cut short."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Its chunks; an empty one at its end, two where it was cut short."""
        ...


class Body:
    """A request's body, which may be read whole, or in chunks as far as one likes, and then be done away with."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._chunks: AsyncIterator[bytes] | None = None
        self._read = False

    async def whole(self) -> bytes:
        """All of it; raises ProtocolClosed where it was cut short."""
        self._read = True
        return await self._incoming()

    async def chunk(self) -> bytes | None:
        """The next chunk, or None after the last."""
        if self._chunks is None:
            self._chunks = aiter(self._incoming)
        try:
            return await anext(
                self._chunks
            )  # with a default, CPython 3.11 crashes on the server's own awaitables
        except StopAsyncIteration:
            return None

    async def discard(self) -> None:
        """Read what a refused client still sends, within bounds: were it cut off, it might never see why."""
        left = 0 if self._read else _MOST_DISCARDED
        try:
            async with asyncio.timeout(_DISCARD_TIME):
                while left > 0 and (chunk := await self.chunk()) is not None:
                    left -= len(chunk)
        except (TimeoutError, ProtocolClosed):
            return


class BodyReader:
    """Reads bodies of up to limits.max_body bytes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._budget = max(_BUDGET, limits.max_body)

    async def read(self, body: Body, length: str | None, encoding: str | None) -> bytes:
        """The whole body, given its Content-Length and Content-Encoding; raises Refusal."""
        if encoding and encoding.strip().lower() != "identity":
            raise UnknownEncoding(
                f"The body has Content-Encoding {encoding!r}, expected none: send it uncompressed."
            )
        size = int(length) if length is not None else self._limits.max_body
        if size > self._limits.max_body:
            raise BodyTooLarge(self._limits.max_body)
        if size > self._budget:
            raise QueueFull("This replica is receiving as many bytes as it may. Try again later.")
        self._budget -= size
        try:
            async with asyncio.timeout(self._limits.timeout):
                return await (body.whole() if length is not None else self._join(body))
        except TimeoutError as error:
            raise BodyTooSlow(f"The body was not there within {self._limits.timeout:g} s.") from error
        except ProtocolClosed as error:
            raise BodyCutShort("The body ended before its announced end.") from error
        finally:
            self._budget += size

    async def _join(self, body: Body) -> bytes:
        joined = bytearray()
        ended = False
        while (chunk := await body.chunk()) is not None:
            if ended:  # by an empty chunk: there should be no other
                raise BodyCutShort("The body ended before its announced end.")
            joined += chunk
            ended = not chunk
            if len(joined) > self._limits.max_body:
                raise BodyTooLarge(self._limits.max_body)
        return bytes(joined)
