"""Lets pages of named origins ask a replica from a browser (the Fetch standard's CORS, https://fetch.spec.whatwg.org).

In front of the application where serving.json names origins, and nowhere else: it costs nothing to those who do not want it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

from loopwright.scoring.app import Application, Exchange
from loopwright.scoring.exchange import Scope
from loopwright.scoring.speakers import Header

_METHODS = "GET, POST"
_ANY = "*"


class Cors:
    """An RSGI application around another."""

    def __init__(self, app: Application, origins: Sequence[str]) -> None:
        self._app = app.__rsgi__
        self._origins = frozenset(origins)

    def __rsgi__(self, scope: Scope, exchange: Exchange) -> Coroutine[Any, Any, None]:
        origin = scope.headers.get("origin")
        if origin is None or not (origin in self._origins or _ANY in self._origins):
            return self._app(scope, exchange)
        headers = [
            ("access-control-allow-origin", _ANY if _ANY in self._origins else origin),
            ("vary", "origin"),
        ]
        if scope.method == "OPTIONS" and scope.headers.get("access-control-request-method") is not None:
            return self._preflight(scope, exchange, headers)
        return self._app(scope, _Allowed(exchange, headers))

    async def _preflight(self, scope: Scope, exchange: Exchange, headers: list[Header]) -> None:
        asked = scope.headers.get("access-control-request-headers")
        allowed = [("access-control-allow-headers", asked)] if asked else []
        headers += [("access-control-allow-methods", _METHODS), *allowed]
        exchange.response_bytes(200, [("content-type", "text/html; charset=utf-8"), *headers], b"")


class _Allowed:
    """An exchange whose response has these headers too."""

    def __init__(self, exchange: Exchange, headers: list[Header]) -> None:
        self._exchange = exchange
        self._headers = headers

    async def __call__(self) -> bytes:
        return await self._exchange()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._exchange.__aiter__()

    def response_bytes(self, status: int, headers: list[Header], body: bytes) -> None:
        self._exchange.response_bytes(status, [*headers, *self._headers], body)
