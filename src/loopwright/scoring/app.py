"""The replica's HTTP side: routes requests to the service, and maps every refusal to a status once."""

from __future__ import annotations

import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Protocol

import msgspec

from loopwright.scoring import labelling, metrics, refusals
from loopwright.scoring.body import Body, BodyReader, Incoming
from loopwright.scoring.context import TEST, Context
from loopwright.scoring.exchange import Scope
from loopwright.scoring.failure_log import FailureLog
from loopwright.scoring.fronts import OWN, Peers, merged
from loopwright.scoring.logs import Log
from loopwright.scoring.protocol_paths import Path, ProtocolPaths, Refuse
from loopwright.scoring.refusals import Busy, Failed, Refusal
from loopwright.scoring.request_ids import request_ids
from loopwright.scoring.service import Service, Stats
from loopwright.scoring.speakers import JSON, Header, Headers, refuse

STATUSES: dict[type[Refusal], int] = {
    refusals.NotJson: 400,
    refusals.NotTaken: 400,
    refusals.BodyCutShort: 400,
    refusals.NotThere: 404,
    refusals.BodyTooSlow: 408,
    refusals.BodyTooLarge: 413,
    refusals.HeaderTooLong: 431,
    refusals.UnknownEncoding: 415,
    refusals.UnknownMediaType: 415,
    refusals.InvalidInput: 422,
    refusals.InvalidFeedback: 422,
    refusals.Failed: 500,
    refusals.QueueFull: 503,
    refusals.TooManyBytes: 503,
    refusals.WaitedTooLong: 503,
    refusals.NotReady: 503,
    refusals.Draining: 503,
    refusals.NotKept: 503,
    refusals.Late: 504,
}


class Exchange(Incoming, Protocol):
    """The body coming in and the response going out (RSGI)."""

    def response_bytes(self, status: int, headers: list[Header], body: bytes) -> None: ...


class Application(Protocol):
    """What a server asks (RSGI)."""

    def __rsgi__(self, scope: Scope, exchange: Exchange) -> Coroutine[Any, Any, None]: ...


Handle = Callable[[Scope, Exchange, str], Awaitable[None]]


class App:
    """The RSGI application of a replica."""

    def __init__(self, service: Service, log: Log, peers: Peers | None = None) -> None:
        self._service = service
        self._peers = peers
        self._log = log
        self._budget = service.budget
        self._reader = BodyReader(service.limits, service.budget)
        self._ids = request_ids()
        self._failures = FailureLog(log)
        self._protocols = ProtocolPaths(service)
        self._routes: dict[str, tuple[str, Handle]] = {
            "/score": ("POST", self._not_found),
            "/feedback": ("POST", self._feedback),
            "/": ("GET", self._healthy),
            "/healthz": ("GET", self._healthz),
            "/readyz": ("GET", self._readyz),
            "/metrics": ("GET", self._metrics),
            "/stats": ("GET", self._stats),
        }
        if peers:
            self._routes[f"{OWN}/readyz"] = ("GET", self._readyz)
            self._routes[f"{OWN}/metrics"] = ("GET", self._own_metrics)
            self._routes[f"{OWN}/stats"] = ("GET", self._own_stats)
        self.active = 0  # scoring requests that have come and have no answer yet

    def __rsgi__(self, scope: Scope, exchange: Exchange) -> Coroutine[Any, Any, None]:
        if (
            scope.path == "/score" and scope.method == "POST"
        ):  # nearly every request: no step more than needed
            return self._score(scope.headers, exchange)
        return self._other(scope, exchange)

    async def _other(self, scope: Scope, exchange: Exchange) -> None:
        request_id = next(self._ids)
        try:
            await self._route(scope, exchange, request_id)
        except Exception:  # the root of a request's handling
            self._broken(exchange, request_id)

    async def _route(self, scope: Scope, exchange: Exchange, request_id: str) -> None:
        other = self._protocols.find(scope.path) if scope.path not in self._routes else None
        method, handle = (
            self._protocol(other) if other else self._routes.get(scope.path, ("", self._not_found))
        )
        if method and scope.method != method and not (method == "GET" and scope.method == "HEAD"):
            message = f"{scope.path[:200]} takes {method}, found {scope.method}."
            write = other.refuse if other else refuse
            self._error(
                exchange, request_id, 405, "method-not-allowed", message, {}, ("allow", method), write=write
            )
            await Body(exchange).discard()
            return
        await handle(scope, exchange, request_id)

    def _protocol(self, path: Path) -> tuple[str, Handle]:
        return path.method, partial(self._page if path.speaker is None else self._ask, path)

    async def _page(self, path: Path, scope: Scope, exchange: Exchange, request_id: str) -> None:
        assert path.page is not None  # noqa: S101  (it has no speaker)
        page = path.page(scope.headers)
        self._respond(exchange, request_id, page.status, page.body, page.content_type, *page.headers)
        await Body(exchange).discard()

    async def _ask(self, path: Path, scope: Scope, exchange: Exchange, request_id: str) -> None:
        """What `_score` does, in another protocol's words."""
        assert path.speaker is not None  # noqa: S101  (it has no page)
        headers, body, status, held = scope.headers, Body(exchange), 500, 0
        context = self._context(headers, request_id)
        context.route = path.speaker.route
        self.active += 1
        try:
            self._service.check()
            length, encoding = headers.get("content-length"), headers.get("content-encoding")
            content = await self._reader.read(body, length, encoding)
            context.size = held = len(content)
            reply = await path.speaker.ask(content, headers, context)
            context.size += len(reply.body)
            status = 200
            self._respond(exchange, request_id, status, reply.body, reply.content_type, *reply.headers)
        except Refusal as refusal:
            status = self._refuse(exchange, context, refusal, path.refuse)
        finally:
            self.active -= 1
            self._budget.held -= held
            self._service.finished(context, status)
        if status != 200:
            await body.discard()

    async def _score(self, headers: Headers, exchange: Exchange) -> None:
        service, reader, budget, get = self._service, self._reader, self._budget, headers.get
        context = self._context(headers)
        self.active += 1
        body: Body | None = None
        status, held = 500, 0
        try:
            length, encoding = get("content-length"), get("content-encoding")
            size = reader.small(length, encoding)
            if size and service.open:
                budget.held += size
                held = context.size = size
                content = await reader.read_small(exchange)
            else:
                body = Body(exchange)
                service.check()
                content = await reader.read(body, length, encoding)
                held = context.size = len(content)
            answer = service.end(context, await service.begin(content, context, get("content-type")))
            status = 200
            self._respond(exchange, context.id, status, answer)
        except Refusal as refusal:
            status = self._refuse(exchange, context, refusal)
        except Exception:  # the root of a request's handling
            self._broken(exchange, context.id)
        finally:
            self.active -= 1
            budget.held -= held
            service.finished(context, status)
        if status != 200 and body is not None:
            await body.discard()

    def _context(self, headers: Headers, request_id: str = "") -> Context:
        get = headers.get
        return Context(
            request_id or next(self._ids),
            time.perf_counter(),
            time.time(),
            get("x-loopwright-request-id") or get("x-request-id"),  # behind the gateway the latter is its own
            get("x-loopwright-role") or TEST,
            get("traceparent"),
        )

    async def _feedback(self, scope: Scope, exchange: Exchange, request_id: str) -> None:
        headers, body, held = scope.headers, Body(exchange), 0
        try:
            content = await self._reader.read(
                body, headers.get("content-length"), headers.get("content-encoding")
            )
            held = len(content)
            self._respond(exchange, request_id, 200, await labelling.keep(self._service.recorder, content))
        except Refusal as refusal:
            self._refuse(exchange, self._context(headers, request_id), refusal)
            await body.discard()
        finally:
            self._budget.held -= held

    async def _healthz(self, _scope: Scope, exchange: Exchange, request_id: str) -> None:
        self._respond(exchange, request_id, 200, b'{"status":"ok"}')

    async def _healthy(self, _scope: Scope, exchange: Exchange, request_id: str) -> None:
        """As Azure ML's inference server has it."""
        self._respond(exchange, request_id, 200, b"Healthy", "text/html; charset=utf-8")

    async def _readyz(self, _scope: Scope, exchange: Exchange, request_id: str) -> None:
        stats = self._service.stats()
        body = msgspec.json.encode({"ready": stats.ready, "message": stats.message})
        self._respond(exchange, request_id, 200 if stats.ready else 503, body)

    async def _metrics(self, _scope: Scope, exchange: Exchange, request_id: str) -> None:
        text = self._service.metrics()
        if self._peers:
            text = merged([text, *await self._peers.ask("/metrics")])
        self._respond(exchange, request_id, 200, text, metrics.CONTENT_TYPE)

    async def _stats(self, _scope: Scope, exchange: Exchange, request_id: str) -> None:
        stats = self._service.stats()
        if self._peers:
            others = [msgspec.json.decode(body, type=Stats) for body in await self._peers.ask("/stats")]
            stats = stats.with_others(others)
        self._respond(exchange, request_id, 200, msgspec.json.encode(stats))

    async def _own_metrics(self, _scope: Scope, exchange: Exchange, request_id: str) -> None:
        self._respond(exchange, request_id, 200, self._service.metrics(), metrics.CONTENT_TYPE)

    async def _own_stats(self, _scope: Scope, exchange: Exchange, request_id: str) -> None:
        self._respond(exchange, request_id, 200, msgspec.json.encode(self._service.stats()))

    async def _not_found(self, scope: Scope, exchange: Exchange, request_id: str) -> None:
        message = f"There is no {scope.path[:200]} here, expected one of {', '.join((*self._routes, *self._protocols))}."
        self._error(exchange, request_id, 404, "not-found", message, {})
        await Body(exchange).discard()

    def _broken(self, exchange: Exchange, request_id: str) -> None:
        """A defect of ours: the client gets the id, the log the rest."""
        self._log.error("request-failed", id=request_id, error=traceback.format_exc(limit=-20))
        message = "The replica failed on this request; its log explains the id."
        self._error(exchange, request_id, 500, "internal", message, {"id": request_id})

    def _refuse(
        self, exchange: Exchange, context: Context, refusal: Refusal, write: Refuse = refuse, *more: Header
    ) -> int:
        status = STATUSES[type(refusal)]
        extra = list(more)
        if isinstance(refusal, Busy):
            extra.append(("retry-after", str(refusal.retry_after)))
        if isinstance(refusal, refusals.BodyTooSlow):
            extra.append(("connection", "close"))
        details = dict(refusal.details)
        if isinstance(refusal, Failed):
            details["id"] = context.id
            self._failures.explain(context, refusal)
        self._error(exchange, context.id, status, refusal.code, refusal.message, details, *extra, write=write)
        return status

    def _error(
        self,
        exchange: Exchange,
        request_id: str,
        status: int,
        code: str,
        message: str,
        details: dict[str, object],
        *extra: Header,
        write: Refuse = refuse,
    ) -> None:
        body = write(status, code, message, details)
        self._respond(exchange, request_id, status, body, JSON, *extra)

    def _respond(
        self,
        exchange: Exchange,
        request_id: str,
        status: int,
        body: bytes,
        content_type: str = JSON,
        *extra: Header,
    ) -> None:
        headers = [("content-type", content_type), ("x-request-id", request_id), *extra]
        if self._service.draining:
            headers.append(("connection", "close"))  # the client's next request goes elsewhere
        exchange.response_bytes(status, headers, body)
