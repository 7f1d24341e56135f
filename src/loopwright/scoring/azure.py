"""/score of a scoring script over HTTP, as Azure ML's inference server has it, where that differs from what we say elsewhere.

GET takes the parameters of the URL for the body; OPTIONS is answered; a script may have the whole request and give a whole
response; answers carry x-ms-* headers, and errors a `message` beside our `error`. Source: the package
azureml-inference-server-http and https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http. On
purpose otherwise: x-request-id is ours, a late answer is 504 and not 500, and numbers that JSON cannot hold become null.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from loopwright.scoring import worker_shim as shim
from loopwright.scoring.app import App, Exchange
from loopwright.scoring.body import Body
from loopwright.scoring.context import Context
from loopwright.scoring.exchange import Scope
from loopwright.scoring.fronts import Peers
from loopwright.scoring.logs import Log
from loopwright.scoring.protocols import script_swagger
from loopwright.scoring.refusals import Failed, HeaderTooLong, Late, Refusal
from loopwright.scoring.scripts import Http
from loopwright.scoring.service import Service
from loopwright.scoring.speakers import Header

_FAILED = "x-ms-run-function-failed"
_TAKEN = "x-ms-run-fn-exec-ms"
_LONGEST_ID = 100  # characters of a request's id that a client gives
_METHODS = ("POST", "GET", "OPTIONS")
_OURS = ("content-length", "transfer-encoding", "connection", "x-request-id", "date", "server")


class ScriptApp(App):
    """The RSGI application of a replica with a scoring script."""

    def __init__(self, service: Service, log: Log, peers: Peers | None = None) -> None:
        super().__init__(service, log, peers)
        self._routes["/swagger.json"] = ("GET", self._swagger)

    def __rsgi__(self, scope: Scope, exchange: Exchange) -> Coroutine[Any, Any, None]:
        if scope.path == "/score" and scope.method in _METHODS:
            return self._answer(scope, exchange)
        return self._other(scope, exchange)

    async def _answer(self, scope: Scope, exchange: Exchange) -> None:
        service, reader, budget, get = self._service, self._reader, self._budget, scope.headers.get
        context = self._context(scope.headers)
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
            ids = _ids(get, context.id)
            whole = service.takes_requests
            if scope.method == "OPTIONS" and not whole:
                status = self._empty(exchange, context, ids)
                return
            if whole:
                result = await service.begin_http(_http(scope), content, context)
            else:
                given, kind = content, get("content-type")
                if scope.method == "GET":
                    given, kind = json.dumps(_query(scope)).encode(), None
                result = await service.begin(given, context, kind)
            status = self._send(exchange, context, service.end(context, result), ids)
        except Refusal as refusal:
            failed = str(isinstance(refusal, Failed | Late))
            status = self._refuse(exchange, context, refusal, _refuse, (_FAILED, failed))
        except Exception:  # the root of a request's handling
            self._broken(exchange, context.id)
        finally:
            self.active -= 1
            budget.held -= held
            service.finished(context, status)
        if status != 200 and body is not None:
            await body.discard()

    def _send(self, exchange: Exchange, context: Context, body: bytes, ids: list[Header]) -> int:
        reply = context.reply
        taken = f"{reply.milliseconds if reply else 0.0:.3f}"
        if reply is None or reply.kind != shim.RESPONSE:
            self._respond(
                exchange, context.id, 200, body, "application/json", *ids, (_FAILED, "False"), (_TAKEN, taken)
            )
            return 200
        (status, given), _ = shim.split_head(reply.payload)
        headers = [(name.lower(), value) for name, value in given if not name.lower().startswith(_OURS)]
        if status >= 500:
            headers = [(name, value) for name, value in headers if name != _FAILED] + [(_FAILED, "True")]
        headers += [*ids, ("x-request-id", context.id), (_TAKEN, taken)]
        if self._service.draining:
            headers.append(("connection", "close"))
        exchange.response_bytes(status, headers, body)
        return int(status)

    async def _swagger(self, scope: Scope, exchange: Exchange, request_id: str) -> None:
        path = self._protocols.find("/swagger.json")
        assert path is not None  # noqa: S101  (every replica has it)
        assert path.page is not None  # noqa: S101
        page = path.page(scope.headers)
        asked = dict(parse_qsl(scope.query_string)).get("version", "2")
        told = script_swagger.render(msgspec.json.decode(page.body), self._service.script_schema, asked)
        if isinstance(told, str):
            self._error(exchange, request_id, 404, "not-found", told, {}, write=_refuse)
        else:
            self._respond(
                exchange, request_id, 200, msgspec.json.encode(told), page.content_type, *page.headers
            )

    def _empty(self, exchange: Exchange, context: Context, ids: list[Header]) -> int:
        self._respond(exchange, context.id, 200, b"", "text/html; charset=utf-8", *ids, (_FAILED, "False"))
        return 200


def _refuse(_status: int, code: str, message: str, details: dict[str, object]) -> bytes:
    """The body of an error: `message` as Azure's server has it, `error` as ours."""
    return msgspec.json.encode({"message": message, "error": {"code": code, "message": message, **details}})


def _ids(get: Callable[[str], str | None], request_id: str) -> list[Header]:
    """What the answer says of the client's own ids; raises HeaderTooLong."""
    theirs = get("x-loopwright-request-id") or get("x-request-id")  # behind the gateway the latter is its own
    client, legacy = get("x-ms-client-request-id"), get("x-ms-request-id")
    for name, value in (
        ("x-request-id", theirs),
        ("x-ms-client-request-id", client),
        ("x-ms-request-id", legacy),
    ):
        if value is not None and len(value) > _LONGEST_ID:
            raise HeaderTooLong(f"{name} must not exceed {_LONGEST_ID} characters.")
    client = client or legacy
    named = [("x-ms-request-id", legacy or client or theirs or request_id)]
    return [*named, ("x-ms-client-request-id", client)] if client else named


def _http(scope: Scope) -> Http:
    headers = [one for one in scope.headers.items() if not one[0].startswith("x-loopwright-")]
    return Http(scope.method, scope.path, scope.query_string, headers, readable=False)


def _query(scope: Scope) -> dict[str, Any]:
    """Parameters of the URL, each value read as JSON where it is; one that is there several times becomes a list."""
    found: dict[str, list[Any]] = {}
    for name, text in parse_qsl(scope.query_string, keep_blank_values=True):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = text
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
