"""Requests to a scoring script: one by one as text or as whole HTTP requests, or joined where it takes batches of rows.

What the script takes is known once a worker has come up, so the choice is made at each request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, NamedTuple

import msgspec

from loopwright.scoring import worker_shim as shim
from loopwright.scoring.admission import Admission
from loopwright.scoring.answers import Answers
from loopwright.scoring.batching import Batcher, Columns
from loopwright.scoring.context import Context
from loopwright.scoring.refusals import Late
from loopwright.scoring.rows import Parsed, Row
from loopwright.scoring.scorer import ScriptScorer
from loopwright.scoring.settings import Batching, Settings
from loopwright.scoring.telemetry import Telemetry
from loopwright.scoring.worker import Reply

_JSON_HEADERS = [("content-type", "application/json")]


class Http(NamedTuple):
    """A request of HTTP but for its body, as a script may be given it."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    readable: bool  # as rows of the package's inputs


class Scripts:
    """The line in front of a script."""

    def __init__(self, settings: Settings, scorer: ScriptScorer, telemetry: Telemetry) -> None:
        self._names = [one.name for one in settings.inputs or ()]
        self._limits = settings.limits
        self._scorer = scorer
        self._telemetry = telemetry
        self._admission = Admission(settings.limits)
        self._batcher = Batcher(scorer, 1, settings.limits, settings.batching or Batching(), telemetry)

    @property
    def in_flight(self) -> int:
        return self._admission.inside + self._batcher.in_flight

    @property
    def queued(self) -> int:
        return self._admission.queued + self._batcher.queued

    @property
    def full(self) -> bool:
        return self._admission.full or self._batcher.full

    def check(self) -> None:
        """Raise QueueFull if it is full."""
        self._admission.check()
        self._batcher.check()

    def abandon(self) -> None:
        self._admission.abandon()
        self._batcher.abandon()

    @property
    def takes(self) -> str:
        """What the script takes: text, rows or request."""
        return self._scorer.started.takes

    @property
    def schema(self) -> dict[str, Any] | None:
        """What the script declares of its input and output."""
        return self._scorer.started.schema

    def begin(self, body: bytes, parsed: Parsed | None, _context: Context) -> Awaitable[Any]:
        if parsed is None:
            return self._ask(shim.TEXT, body)
        takes = self._scorer.started.takes
        if takes == "rows":
            return self._batcher.submit(parsed.rows)
        if takes == "request":
            return self._request(parsed.rows)
        return self._ask(shim.TEXT, body if parsed.plain else self._objects(parsed.rows))

    def begin_http(self, http: Http, body: bytes) -> Awaitable[Reply]:
        """Ask a script that takes whole requests."""
        return self._ask(shim.HTTP, shim.with_head(http, body))

    def end(self, context: Context, result: Reply | Columns) -> bytes:
        if isinstance(result, list):
            (answers,) = result
            context.answers = body = _joined(answers, context.single)
            context.size += len(body)
            return body
        context.reply = result
        if result.kind == shim.ANSWER:
            context.answers = result.payload
            context.size += len(result.payload)
            return result.payload
        (_, headers), body = shim.split_head(result.payload)
        kinds = [value for name, value in headers if name.lower() == "content-type"]
        if kinds and kinds[0].startswith("application/json"):
            context.answers = body
            context.size += len(body)
        return body

    async def rows(self, rows: list[Row], context: Context) -> Answers:
        """One row is asked as an object, which every script understands."""
        takes = self._scorer.started.takes
        if takes == "rows":
            result: Any = await self._batcher.submit(rows)
        elif takes == "request":
            result = await self._request(rows)
        else:
            body = self._objects(rows)
            result = await self._ask(shim.TEXT, body[1:-1] if len(rows) == 1 else body)
        return Answers.of_script(msgspec.json.decode(self.end(context, result)), len(rows))

    def _request(self, rows: list[Row]) -> Awaitable[Reply]:
        http = Http("POST", "/score", "", _JSON_HEADERS, readable=True)
        return self.begin_http(http, self._objects(rows))

    async def _ask(self, kind: int, body: bytes) -> Reply:
        waited = await self._admission.enter()
        self._telemetry.queue_wait_seconds.observe(waited)
        try:
            async with asyncio.timeout(self._limits.timeout):
                return await self._scorer.ask(kind, body)
        except TimeoutError as error:
            raise Late(f"No answer within {self._limits.timeout:g} s.") from error
        finally:
            self._admission.leave()

    def _objects(self, rows: list[Row]) -> bytes:
        """A list of objects: what every script understands that takes several rows."""
        return msgspec.json.encode([dict(zip(self._names, row, strict=True)) for row in rows])


def _joined(answers: list[Any], single: bool) -> bytes:
    """Answers that are JSON each, as the answer to a request."""
    return bytes(answers[0]) if single else b"[" + b",".join(answers) + b"]"
