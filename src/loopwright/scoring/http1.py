"""HTTP/1.1 on one connection: bytes become requests for the application, one after the other, its responses become bytes.

In the event loop itself, by llhttp's parser (httptools): with a server that has threads of its own, each request is handed
over twice between threads that want the interpreter's lock, which costs more than all that a front does for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, cast
from urllib.parse import unquote

import httptools

from loopwright.scoring.connections import Connections
from loopwright.scoring.exchange import Exchange, Scope
from loopwright.scoring.speakers import JSON, refuse

Application = Callable[[Scope, Exchange], Coroutine[Any, Any, None]]

_MOST_HEAD = 64 * 1024  # bytes in a row that are no body: of headers, or between and behind chunks
_MOST_HEADERS = 256
_OFFER = ("upgrade", "connection", "http2-settings")
_MOST_AHEAD = 64 * 1024  # bytes of answers that the client has not taken: with more, it is asked no more
_LAST_CHANCE = 0.1  # seconds in which a request may come on a connection that was made as all ended


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, app: Application, others: Connections) -> None:
        self._app = app
        self._others = others
        self._name = others.name
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[str, str] = {}
        self._in_head = False
        self._count = 0  # headers of it
        self._head = 0  # bytes since something was heard
        self._heard = False  # a request has begun or ended, or a body gone on
        self._receiving: Exchange | None = None
        self._active: Exchange | None = None
        self._behind: deque[tuple[Scope, Exchange]] = deque()  # sent before the answer to the one before
        self._last = False  # the next answer, or the one under way, is the last
        self._ending = False  # no further request is answered
        self._no_more = False  # none is read
        self._offered = False  # the client would change to another protocol
        self._pauses = 0
        self._idle_since: float | None = self._loop.time()  # None while a request is answered
        self._stuck_since: float | None = None  # since when the client takes no more of its answer
        self._untaken = 0  # bytes of it, at the last look; nothing is written meanwhile
        self.write: Callable[[bytes], None] = _nowhere

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It has begun."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_MOST_AHEAD)
        self.write = self._transport.write
        self._others.add(self)
        if self._others.stopped:  # it was taken just before
            self._last = True
            self._loop.call_later(_LAST_CHANCE, self.stop)
        if self._others.full:
            self._refuse(
                503,
                "too-many-connections",
                "This replica has as many connections as it may. Try again later.",
            )

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended, by whomever."""
        del exc
        self._ending, self.write = True, _nowhere
        self._behind.clear()
        if self._receiving is not None:
            self._receiving.cut()
        self._others.discard(self)

    def eof_received(self) -> bool:
        """The client sends no more, and may still wait for what it asked."""
        self._read_no_more()
        return self._active is not None

    def data_received(self, data: bytes) -> None:
        """More of a request, or several."""
        left: bytes | None = data
        while left is not None:
            if (self._ending or self._no_more) and self._receiving is None:
                return
            left = self._read(left)

    def _read(self, data: bytes) -> bytes | None:
        """Have it parsed; returns what is to be parsed anew, if anything is."""
        self._heard, again = False, None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._offered:
                again = self._declined(data[upgrade.args[0] :])
            else:
                self._no_more = True  # CONNECT: what follows is for nobody here
        except httptools.HttpParserCallbackError:
            self._transport.abort()  # a defect of ours
            raise
        except httptools.HttpParserError as error:
            self._broken(str(error))
            return None
        self._head = 0 if self._heard else self._head + len(data)
        if self._head > _MOST_HEAD:
            self._broken(f"more than {_MOST_HEAD} bytes came that are no body", 431)
        return again

    def pause_writing(self) -> None:
        """The client does not take what is written: it is asked and answered no more until it does."""
        self._stuck_since, self._untaken = self._loop.time(), self._transport.get_write_buffer_size()
        self.pause()

    def resume_writing(self) -> None:
        """It does again."""
        self._stuck_since = None
        self.resume()
        if self._active is None:
            self._go_on()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._headers, self._url, self._in_head, self._count, self._heard = {}, b"", True, 0, True
        if self._active is None:
            self._idle_since = self._loop.time()

    def on_url(self, url: bytes) -> None:
        self._url = self._url + url if self._url else url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # behind the body: nobody here asks for such, and they must not pass for headers
        self._count += 1
        if self._count > _MOST_HEADERS:
            return
        known = self._name(name) or self._others.learn(name)
        text, headers = value.decode("latin-1"), self._headers
        headers[known] = f"{headers[known]}, {text}" if known in headers else text

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._ending or self._no_more:
            return
        if self._count > _MOST_HEADERS:
            self._broken(f"it has more than {_MOST_HEADERS} headers", 431)
            return
        parser, headers = self._parser, self._headers
        method = parser.get_method().decode("latin-1")
        if "upgrade" in headers and parser.should_upgrade() and method != "CONNECT":
            self._offered = True
            return
        keep = parser.should_keep_alive() and not self._last
        version = parser.get_http_version()
        expects = "expect" in headers and version != "1.0" and headers["expect"].lower() == "100-continue"
        exchange = Exchange(self, method, version, keep, expects)
        self._receiving = exchange
        scope = _scope(method, self._url, headers)
        if self._active is None and self._stuck_since is None and not self._behind:
            self._begin(scope, exchange)
        else:
            self._behind.append((scope, exchange))
            self.pause()

    def on_body(self, body: bytes) -> None:
        self._heard = True
        if self._receiving is not None:
            self._receiving.feed(body)

    def on_message_complete(self) -> None:
        self._heard = True
        exchange, self._receiving = self._receiving, None
        if exchange is not None:
            exchange.end()
            if exchange.responded and exchange is self._active:
                self._next(exchange)

    # What exchanges ask of it.

    def pause(self) -> None:
        """Read no more for now."""
        self._pauses += 1
        if self._pauses == 1 and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on reading, once for each pause."""
        self._pauses -= 1
        if self._pauses == 0 and not self._transport.is_closing():
            self._transport.resume_reading()

    def answered(self, exchange: Exchange, keep: bool) -> None:
        """The next request may come, once the whole of this one has."""
        if not keep:
            self._ending = True
        if exchange.complete:
            self._next(exchange)
        elif exchange.task is not None:
            # What the client still sends is read as long as the application wants.
            exchange.task.add_done_callback(lambda _: self._left(exchange))

    def _begin(self, scope: Scope, exchange: Exchange) -> None:
        exchange.task = self._loop.create_task(self._app(scope, exchange))
        self._active, self._idle_since = exchange, None

    def _left(self, exchange: Exchange) -> None:
        if not exchange.complete:
            self._close()

    def _next(self, exchange: Exchange) -> None:
        exchange.release()
        self._active, self._idle_since = None, self._loop.time()
        if self._stuck_since is None or self._ending:
            self._go_on()

    def _go_on(self) -> None:
        """What comes now that nothing is being answered."""
        if self._ending:
            self._close()
        elif self._behind:
            self._begin(*self._behind.popleft())
            self.resume()
        elif self._no_more or self._last:
            self._close()

    # How it ends.

    def stop(self) -> None:
        """End once what was asked is answered: at once where nothing is."""
        self._last = True
        if self._active is not None:
            self._active.last()
        elif not self._in_head and not self._behind:
            self._close()

    def look(self, now: float, patience: float) -> None:
        """End it where the client asks nothing, or takes nothing, for so many seconds, or where nobody answers it."""
        if self._stuck_since is not None:
            before, self._untaken = self._untaken, self._transport.get_write_buffer_size()
            if self._untaken < before:
                self._stuck_since = now
            elif now - self._stuck_since > patience:
                self._transport.abort()
        elif self._idle_since is not None and now - self._idle_since > patience:
            if self._transport.is_closing():
                self._transport.abort()
            else:
                self._close()
        if self._active is not None and self._active.forgotten:  # a defect of ours
            self._close()

    def _close(self) -> None:
        """Once the client has taken what is written: `look` ends it where it does not."""
        self._idle_since = self._loop.time()
        self._transport.close()

    def _broken(self, why: str, status: int = 400) -> None:
        """What came is no HTTP: what was asked before is answered, and no more is read."""
        if self._active is None:
            self._refuse(status, "not-http", f"The request is not HTTP/1.1 as it is taken here: {why}.")
        else:
            self._read_no_more()

    def _declined(self, rest: bytes) -> bytes:
        """The same request without the offer: the parser takes all behind its head for the other protocol."""
        self._offered = False
        parser, self._parser = self._parser, httptools.HttpRequestParser(self)
        method, version = parser.get_method().decode("latin-1"), parser.get_http_version()
        lines = [f"{method} {self._url.decode('latin-1')} HTTP/{version}"]
        lines += [f"{name}: {value}" for name, value in self._headers.items() if name not in _OFFER]
        if "close" in self._headers.get("connection", "").lower():
            lines.append("connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + rest

    def _read_no_more(self) -> None:
        self._no_more = True
        if self._receiving is not None:
            self._receiving.cut()

    def _refuse(self, status: int, code: str, message: str) -> None:
        exchange = Exchange(self, "GET", "1.1", keep=False, expects=False)
        exchange.complete = True
        exchange.response_bytes(status, [("content-type", JSON)], refuse(status, code, message, {}))


def _nowhere(_data: bytes) -> None:
    """Where what is written goes once nobody listens."""


def _scope(method: str, url: bytes, headers: dict[str, str]) -> Scope:
    path, _, query = (url if url.startswith(b"/") else _from_root(url)).partition(b"#")[0].partition(b"?")
    text = path.decode("latin-1")
    return Scope(method, unquote(text) if "%" in text else text, query.decode("latin-1"), headers)


def _from_root(url: bytes) -> bytes:
    """The path and query of a whole address, as proxies are asked; anything else as it is."""
    _, found, rest = url.partition(b"://")
    if not found:
        return url
    ends = [at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0]
    after = rest[min(ends) :] if ends else b""
    return after if after.startswith(b"/") else b"/" + after
