"""What it takes to answer a request, whatever protocol it came by: check, admit, score within the time, and count.

The protocols are thin edges around this. A body for /score goes through `score`; whoever has rows already calls `answer`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from loopwright.observations.recording import Recorder
from loopwright.scoring import tabular
from loopwright.scoring.answers import Answers
from loopwright.scoring.aside import LARGE, LARGE_CSV, Aside
from loopwright.scoring.batching import Batcher, Columns
from loopwright.scoring.budget import Budget
from loopwright.scoring.context import Context
from loopwright.scoring.observing import Losses
from loopwright.scoring.refusals import Draining, NotReady, Refusal, UnknownMediaType
from loopwright.scoring.rendering import Renderer
from loopwright.scoring.rows import Parsed, Parser, Row
from loopwright.scoring.scorer import RowScorer, Scorer, ScriptScorer
from loopwright.scoring.scripts import Http, Scripts
from loopwright.scoring.settings import Batching, Settings
from loopwright.scoring.telemetry import Telemetry
from loopwright.scoring.tracing import Tracer


@dataclass(frozen=True)
class Stats:
    """How the replica stands, for whoever scales and replaces it."""

    ready: bool
    in_flight: int
    queued: int
    completed: int
    message: str

    def with_others(self, others: Sequence[Stats]) -> Stats:
        """Of all fronts together, this one's word being for all."""
        return Stats(
            self.ready,
            self.in_flight + sum(one.in_flight for one in others),
            self.queued + sum(one.queued for one in others),
            self.completed + sum(one.completed for one in others),
            self.message or next((one.message for one in others if one.message), ""),
        )


class Service:
    """The transport-neutral core of a replica."""

    def __init__(
        self, settings: Settings, scorer: Scorer, telemetry: Telemetry, recorder: Recorder | None = None
    ) -> None:
        self.settings = settings
        self.limits = settings.limits
        self._scorer = scorer
        self._telemetry = telemetry
        extra = settings.observations.extra if settings.observations else ()
        self.parser = Parser(settings.inputs, extra) if settings.inputs is not None else None
        self._scripts = (
            Scripts(settings, cast("ScriptScorer", scorer), telemetry) if settings.outputs is None else None
        )
        self._line: Scripts | _Rows = self._scripts or _Rows(settings, cast("RowScorer", scorer), telemetry)
        self.budget = Budget(settings.limits)
        self.aside = Aside(settings.limits)
        self.recorder = recorder
        self._losses = Losses(recorder)
        self.open = False  # it was ready once and is not closed, so that `check` would at most find it full
        self._completed = 0
        self.waits_for: Callable[[], str] = (
            str  # what else must be there before it is ready; nothing where empty
        )
        self.tracer: Tracer | None = None  # none: spans are not exported
        self.draining = False  # not ready any more; what still comes is answered
        self.closed = False  # what still comes is sent away

    def check(self) -> None:
        """Raise Busy where a request need not even be read."""
        if self.closed:
            raise Draining("This replica is ending. Try again.")
        if not self.open:
            self.open = self._scorer.ready
            if not self.open:
                raise NotReady(f"This replica is not ready: {self._scorer.message}.")
        self._line.check()

    async def score(self, body: bytes, context: Context, media_type: str | None = None) -> bytes:
        """The answer to a body, as JSON; raises Refusal."""
        return self.end(context, await self.begin(body, context, media_type))

    def begin(self, body: bytes, context: Context, media_type: str | None) -> Awaitable[Any]:
        """`score` in two halves, for an edge that has no time for a coroutine in a coroutine: what this comes to, awaited,
        is for `end`. Both raise Refusal."""
        if self.parser is None:
            parsed = None
        elif len(body) > LARGE_CSV and _is_large(len(body), media_type):
            return self._begin_large(body, context, media_type)
        else:
            parsed = self.parser.json(body) if media_type in _JSON else self._parse(body, media_type or "")
            context.rows, context.extra, context.single = parsed.rows, parsed.extra, parsed.single
        return self._line.begin(body, parsed, context)

    async def _begin_large(self, body: bytes, context: Context, media_type: str | None) -> Any:
        """`begin` where parsing takes long."""
        parsed = await self.aside.do(True, self._parse, body, media_type or "", True)
        context.rows, context.extra, context.single = parsed.rows, parsed.extra, parsed.single
        result = await self._line.begin(body, parsed, context)
        if isinstance(self._line, Scripts) or len(parsed.rows) < _MANY:
            return result
        return await self._line.end_large(context, result, self.aside)

    def end(self, context: Context, result: Any) -> bytes:
        """The answer as JSON, or of a script's own response the body."""
        return self._line.end(context, result)

    @property
    def script_schema(self) -> dict[str, Any] | None:
        """What a script declares of its input and output; None where it declares nothing."""
        return self._scripts.schema if self._scripts is not None else None

    @property
    def takes_requests(self) -> bool:
        """Whether it is a script that is to be given the whole HTTP request."""
        return self._scripts is not None and self._scripts.takes == "request"

    def begin_http(self, http: Http, body: bytes, context: Context) -> Awaitable[Any]:
        """`begin` for such a script. What it takes is its own affair, so no body is refused here; but one that has rows is
        recorded as such."""
        assert self._scripts is not None  # noqa: S101  (seen by who calls)
        if self.parser is None or http.method != "POST":
            return self._scripts.begin_http(http, body)
        if len(body) > LARGE:
            return self._begin_large_http(http, body, context)
        return self._begin_read(http, body, context, self._readable(body))

    async def _begin_large_http(self, http: Http, body: bytes, context: Context) -> Any:
        return await self._begin_read(
            http, body, context, await self.aside.do(True, self._readable, body, True)
        )

    def _begin_read(self, http: Http, body: bytes, context: Context, parsed: Parsed | None) -> Awaitable[Any]:
        assert self._scripts is not None  # noqa: S101  (seen by who calls)
        if parsed is not None:
            context.rows, context.extra, context.single = parsed.rows, parsed.extra, parsed.single
            http = http._replace(readable=True)
        return self._scripts.begin_http(http, body)

    def _readable(self, body: bytes, large: bool = False) -> Parsed | None:
        """The rows of a body, where it has some."""
        assert self.parser is not None  # noqa: S101  (seen by who calls)
        try:
            return self.parser.large_json(body) if large else self.parser.json(body)
        except Refusal:
            return None

    async def answer(self, parsed: Parsed, context: Context) -> Answers:
        """The answers to rows, for protocols that read and write their own bodies; raises Refusal."""
        self.check()
        context.rows, context.extra = parsed.rows, parsed.extra
        return await self._line.rows(parsed.rows, context)

    def finished(self, context: Context, status: int) -> None:
        """Every answered scoring request passes here once, and only here."""
        seconds = time.perf_counter() - context.began
        self._completed += 1
        self._telemetry.requests.add(str(status))
        self._telemetry.request_seconds.observe(seconds)
        if self.tracer is not None:
            self.tracer.finished(context, status, seconds)
        if self.recorder is not None:
            self.recorder.record(
                context.id,
                context.client_id,
                context.role,
                context.time,
                seconds,
                status,
                context.rows,
                context.answers,
                context.extra,
                context.size,
            )

    def _recording(self) -> str:
        """Nothing, once requests are recorded in time: NumPy is imported for that meanwhile."""
        return "" if self.recorder is None or self.recorder.ready else "starting to record"

    def stats(self) -> Stats:
        """How the replica stands now."""
        waits_for = self.waits_for() or self._recording()
        ready = self._scorer.ready and not self.draining and not waits_for
        message = "draining: it was asked to stop" if self.draining else self._scorer.message
        message = message or waits_for or self._losses.message()
        return Stats(ready, self._line.in_flight, self._line.queued, self._completed, message)

    def metrics(self) -> bytes:
        """The text of /metrics."""
        return self._telemetry.render(
            self._line.queued,
            self._line.in_flight,
            self._scorer.pids(),
            self.recorder,
            held_bytes=self.budget.held,
        )

    def abandon(self) -> None:
        """Answer at once whatever is still waiting or being scored; the time to end has come."""
        self.closed, self.open = True, False
        self._line.abandon()
        self._scorer.abandon()

    def _parse(self, body: bytes, media_type: str, large: bool = False) -> Parsed:
        assert self.parser is not None  # noqa: S101  (seen by who calls)
        kind = media_type.partition(";")[0].strip().lower()
        if kind in tabular.CSV_TYPES:
            return tabular.rows(body, self.parser)
        if kind in _READ_AS_JSON or kind.endswith("+json"):
            return self.parser.large_json(body) if large else self.parser.json(body)
        raise UnknownMediaType(f"The body has Content-Type {kind!r}, expected application/json or text/csv.")


_JSON = frozenset((None, "application/json"))
# What clients say that do not say anything: curl, and those who post text.
_READ_AS_JSON = frozenset(
    (
        "",
        "application/json",
        "text/json",
        "text/plain",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    )
)


_MANY = 1000  # rows whose answers take long to write


def _is_large(size: int, media_type: str | None) -> bool:
    """Whether a body is to be parsed in a thread."""
    if size > LARGE:
        return True
    return media_type is not None and media_type.partition(";")[0].strip().lower() in tabular.CSV_TYPES


class _Rows:
    """Requests to a model, which takes the rows of several at once."""

    def __init__(self, settings: Settings, scorer: RowScorer, telemetry: Telemetry) -> None:
        outputs = settings.outputs or ()
        self._names = tuple(one.name for one in outputs)
        self._renderer = Renderer(outputs)
        self._render = self._renderer.render
        self._telemetry = telemetry
        self._batcher = Batcher(
            scorer, len(outputs), settings.limits, settings.batching or Batching(), telemetry
        )
        self._submit = self._batcher.submit
        self.check = self._batcher.check
        self.abandon = self._batcher.abandon

    @property
    def in_flight(self) -> int:
        return self._batcher.in_flight

    @property
    def queued(self) -> int:
        return self._batcher.queued

    @property
    def full(self) -> bool:
        return self._batcher.full

    def begin(self, _body: bytes, parsed: Parsed | None, _context: Context) -> Awaitable[Columns]:
        assert parsed is not None  # noqa: S101  (settings: a model has inputs)
        return self._submit(parsed.rows)

    async def end_large(self, context: Context, columns: Columns, aside: Aside) -> bytes:
        """What `end` does, where there are many rows."""
        context.answers = columns
        answer = await aside.do(True, self._renderer.render_large, columns)
        context.size += len(answer)
        if b"null" in answer:
            self._telemetry.count_nonfinite(await aside.do(True, _nonfinite, columns))
        return answer

    def end(self, context: Context, columns: Columns | bytes) -> bytes:
        if isinstance(columns, bytes):  # written already, by `end_large`
            return columns
        context.answers = columns
        answer = self._render(columns, context.single)
        context.size += len(answer)
        if b"null" in answer:  # rare, and the columns tell whether it is a number that JSON cannot hold
            self._telemetry.count_nonfinite(_nonfinite(columns))
        return answer

    async def rows(self, rows: list[Row], context: Context) -> Answers:
        columns: list[list[Any]] = await self._submit(rows)
        context.answers = columns
        return Answers(self._names, columns)


def _nonfinite(columns: Columns) -> int:
    """How many numbers JSON cannot hold."""
    numbers = (value for column in columns for value in column if isinstance(value, float))
    return sum(not math.isfinite(number) for number in numbers)
