"""One request and its response on a connection: the body as it comes in, and the response as bytes.

What the application asks of it is the interface of RSGI (https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md),
so far as a replica needs it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Protocol

from loopwright.scoring.body import CutShort
from loopwright.scoring.speakers import Header

_MOST_WAITING = 256 * 1024  # bytes of a body that are taken from the kernel before anybody asks for them
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_BODILESS = (204, 304)
_WHOLE = 64 * 1024  # bytes of a body that is joined to its head: one write to the kernel
_NOT_GIVEN = ("content-length", "transfer-encoding")  # these are for who writes the response to say


class Wire(Protocol):
    """The connection's side of it."""

    def write(self, data: bytes) -> None: ...

    def pause(self) -> None:
        """Read no more for now."""
        ...

    def resume(self) -> None:
        """Go on reading."""
        ...

    def answered(self, exchange: Exchange, keep: bool) -> None:
        """The response is written; `keep` tells whether another request may follow."""
        ...


class Scope:
    """A request's line and headers. A header that comes several times has its values joined, as RFC 9110 5.2 has it."""

    __slots__ = ("headers", "method", "path", "query_string")

    def __init__(self, method: str, path: str, query_string: str, headers: dict[str, str]) -> None:
        self.method, self.path, self.query_string, self.headers = method, path, query_string, headers


class Exchange:
    """The body coming in, and the response going out."""

    __slots__ = (
        "_chunks", "_cut", "_expects", "_keep", "_old", "_only_head", "_paused", "_size", "_waiter", "_whole", "_wire",
        "complete", "responded", "task",
    )  # fmt: skip

    def __init__(self, wire: Wire, method: str, version: str, keep: bool, expects: bool) -> None:
        self._wire = wire
        self._chunks: list[bytes] = []
        self._size = 0  # bytes that nobody has taken yet
        self._only_head = method == "HEAD"
        self._old, self._keep, self._expects = version == "1.0", keep, expects
        self._cut = self._paused = self._whole = False
        self._waiter: asyncio.Future[None] | None = None
        self.complete = False  # the whole request has come
        self.responded = False
        self.task: asyncio.Task[Any] | None = None

    def feed(self, chunk: bytes) -> None:
        """More of the body has come."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._waiter is not None:
            self._wake()
        elif self._size > _MOST_WAITING and not self._whole and not self._paused:
            self._paused = True
            self._wire.pause()

    def end(self) -> None:
        """All of it has."""
        self.complete = True
        self._wake()

    def cut(self) -> None:
        """No more will come, and it is not all."""
        self._cut = True
        self._wake()

    async def __call__(self) -> bytes:
        """The whole body, however long it is; raises CutShort."""
        self._whole = True
        while not self.complete:
            await self._more()
        chunks, self._chunks = self._chunks, []
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def __aiter__(self) -> Exchange:
        return self

    async def __anext__(self) -> bytes:
        """What has come since the last time; raises CutShort."""
        while not self._chunks:
            if self.complete:
                raise StopAsyncIteration
            await self._more()
        chunk = b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        self._go_on()
        return chunk

    async def _more(self) -> None:
        if self._cut:
            raise CutShort
        self._go_on()
        if self._expects and not self.responded:
            self._expects = False
            self._wire.write(_CONTINUE)
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def last(self) -> None:
        """No other request may follow this one."""
        self._keep = False

    @property
    def forgotten(self) -> bool:
        """Whether the application has ended without a response."""
        return not self.responded and self.task is not None and self.task.done()

    def release(self) -> None:
        """Let the connection go on reading, whatever was not read of the body."""
        self._chunks.clear()
        self._go_on()

    def _go_on(self) -> None:
        if self._paused:
            self._paused = False
            self._wire.resume()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def response_bytes(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        """Write the response; what comes after it is none. Raises ValueError where a header is none."""
        if self.responded:
            return
        keep, lines = self._keep and self.complete, [_LINES.get(status) or f"HTTP/1.1 {status} \r\n", _date()]
        for name, value in headers:
            if name == "connection":
                keep = keep and value != "close"
            elif name not in _NOT_GIVEN:
                lines.append(f"{name}: {value}\r\n")
        if status not in _BODILESS:
            lines.append(f"content-length: {len(body)}\r\n")
        if not keep:
            lines.append("connection: close\r\n")
        elif self._old:
            lines.append("connection: keep-alive\r\n")
        head = "".join(lines)
        if head.count("\n") != len(lines) or head.count("\r") != len(lines) or "\0" in head:
            raise ValueError("a header of the response holds an end of line")
        self.responded = True
        self._write(
            f"{head}\r\n".encode("latin-1", "replace"),
            b"" if self._only_head or status in _BODILESS else body,
        )
        self._wire.answered(self, keep)

    def _write(self, head: bytes, body: bytes) -> None:
        if len(body) <= _WHOLE:
            self._wire.write(head + body)
        else:
            self._wire.write(head)
            self._wire.write(body)


def _dates() -> Callable[[], str]:
    known, line = 0, ""

    def date() -> str:
        nonlocal known, line
        now = int(time.time())
        if now != known:
            known, line = now, f"date: {formatdate(now, usegmt=True)}\r\n"
        return line

    return date


_date = _dates()
