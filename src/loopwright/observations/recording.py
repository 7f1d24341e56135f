"""Recording: what a front keeps of every request, written off the path of requests by a thread of its own.

`Recorder.record` appends to a list and returns. A few times a second the thread takes what has gathered, writes it to
the worker's segment in frames of bounded size, waits for the disk, and counts it as written; then it adds the values
to the pane of these ten seconds. What the disk does not take, or takes too late, counts as dropped, and serving goes on.
All the thread does in Python is cut into pieces of about a millisecond with a pause after each, since a request waits
for the interpreter's lock meanwhile.

Nothing heavy is imported here; the thread imports NumPy and the sketches, when it begins.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from loopwright.observations.blocks import Column, Event

if TYPE_CHECKING:
    from loopwright.observations.keeping import Keeper

Rows = Sequence[tuple[Any, ...]]
Answers = Sequence[Sequence[Any]] | bytes
# id, the client's id, role, began, seconds, status, rows, answers, extra, the first row's number,
# what it is to write (rows, or KiB of answers to be read), what it takes while it waits (see _MOST)
Record = tuple[
    str, str | None, str, float, float, int, Rows | None, Answers | None, Rows | None, int, int, int
]

INTERVAL = 0.25  # seconds between two looks for what has gathered
DURABLE = 1.0  # seconds from a request to the disk; what takes longer counts as dropped
_MOST = (
    100_000  # rows that wait in memory, or, where these are long, as many times 512 bytes of bodies: 50 MB
)
_BYTES = 9  # the binary logarithm of those 512
_NEVER = 2**62  # more rows than ever come
_PATIENCE = 5.0  # seconds that an ending replica waits for the last of it


class Log(Protocol):
    """Where a recorder says what an operator should know."""

    def info(self, action: str, /, **fields: object) -> None: ...
    def warning(self, action: str, /, **fields: object) -> None: ...


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whose requests are recorded, and what their values are called."""

    workload: str
    environment: str
    revision: str
    version: str | None = None  # such as titanic:3
    columns: tuple[Column, ...] = ()  # the model's inputs, in the order of a row
    outputs: tuple[
        str, ...
    ] = ()  # of a model, in the order of its answers; none: a script answers, see `Terms.paths`
    baseline: Path | None = None  # baseline.json of the package


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What of it is kept, where, and for how long; seconds and bytes."""

    folder: Path  # ENVIRONMENT/WORKLOAD/REVISION; a folder for each worker is made in it
    rate: float = 1.0  # share of the requests whose rows are kept; distributions count all
    exclude: tuple[str, ...] = ()  # inputs of which nothing is kept
    extra: tuple[str, ...] = ()  # further fields of a request's rows
    segment_bytes: int = 16 * 1024 * 1024
    keep: float = 30 * 86400.0
    max_bytes: int = 1024 * 1024 * 1024
    prediction: str = "prediction"  # where they stand in a script's answer
    probability: str | None = None

    @property
    def paths(self) -> dict[str, str]:
        """What is looked up in a script's answer: the name of an output -> its path."""
        named = {"prediction": self.prediction, "probability": self.probability}
        return {name: path for name, path in named.items() if path is not None}


class Told(NamedTuple):
    """Feedback that a request waits with until it is on the disk."""

    events: Sequence[Event]
    loop: asyncio.AbstractEventLoop
    kept: asyncio.Future[bool]
    weight: int = 0  # as of a record

    def settle(self, kept: bool) -> None:
        """Let the request know; from any thread."""
        with suppress(RuntimeError):  # its loop has ended meanwhile
            self.loop.call_soon_threadsafe(self._set, kept)

    def _set(self, kept: bool) -> None:
        if not self.kept.done():  # the client went away
            self.kept.set_result(kept)


class Recorder:
    """Records what one front answers; `written` and `dropped` count requests and feedback events."""

    def __init__(self, subject: Subject, terms: Terms, log: Log, replica: str = "replica") -> None:
        self.worker = f"{replica}-{secrets.token_hex(4)}"
        self.written = 0
        self.losses: Counter[str] = Counter()  # why: memory, disk, late, large, error
        self._subject, self._terms, self._log = subject, terms, log
        self._records: list[Record] = []
        self._append = self._records.append
        self._events: list[Told] = []
        self._come = 0  # rows, and what they weigh besides, so far: by the event loop alone
        self._gone = 0  # of these, by the thread alone
        self._overflowed = 0  # how many losses for want of memory the thread knows of
        self._why_not = "memory"  # why no more is taken, where no more is
        self._begun, self._wake, self._over = threading.Event(), threading.Event(), threading.Event()
        self._since = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="observations", daemon=True)

    @property
    def ready(self) -> bool:
        """Whether its thread writes, or has ended: what comes before that may be written late."""
        return self._begun.is_set()

    @property
    def dropped(self) -> int:
        """How many were not durable in time."""
        return sum(self.losses.values())

    def record(
        self,
        request_id: str,
        client_id: str | None,
        role: str,
        began: float,
        seconds: float,
        status: int,
        rows: Rows | None,
        answers: Answers | None,
        extra: Rows | None = None,
        size: int = 0,
    ) -> None:
        """Keep one request: on the event loop, once it is answered.

        `began`: seconds since the epoch. `rows`: as the model saw them, None where they were not understood. `answers`: a
        column for each output, or the body that a script answered with. `extra`: the further fields of each row. `size`:
        bytes of the bodies that rows and answers were, by which it is told what they take while they wait.
        """
        work = 1 if rows is None else len(rows) or 1
        weight = work if rows is None else work + (size >> _BYTES)
        if type(answers) is bytes:
            work += len(answers) >> 10
            if rows is None:
                weight += len(answers) >> _BYTES
        if self._come - self._gone > _MOST:
            self.losses[self._why_not] += 1
            return
        self._come += weight
        self._append(
            (request_id, client_id, role, began, seconds, status, rows, answers, extra, 0, work, weight)
        )

    async def feedback(self, events: Sequence[Event], size: int = 0) -> bool:
        """Keep labels and events, read from so many bytes; returns whether they are on the disk: where not, the client
        should try again."""
        if self._over.is_set() or self._come - self._gone > _MOST:
            self.losses[self._why_not] += len(events)
            return False
        loop = asyncio.get_running_loop()
        weight = len(events) + (size >> _BYTES)
        told = Told(events, loop, loop.create_future(), weight)
        self._come += weight
        self._events.append(told)
        self._wake.set()
        return await told.kept

    async def run(self) -> None:
        """Record until `close`."""
        ended = asyncio.get_running_loop().create_future()
        self._done = Told((), asyncio.get_running_loop(), ended)
        self._thread.start()
        await ended

    async def close(self) -> None:
        """Write what is left; returns when that is done, or after a few seconds."""
        self._over.set()
        self._wake.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, _PATIENCE)

    def _work(self) -> None:
        """The thread: until all is written after `close`."""
        try:
            from loopwright.observations.keeping import Keeper

            keeper = Keeper(self._subject, self._terms, self.worker, self._log)
            over, since = False, self._since
            self._begun.set()
            while not over:
                self._wake.wait(INTERVAL)
                self._wake.clear()
                over, now = self._over.is_set(), time.monotonic()
                self._keep(keeper, since, over)
                since = now
        except Exception:
            self._log.warning("observations-ended", error=traceback.format_exc(limit=-10))
            self._why_not = "error"
            self._gone = -_NEVER  # from now on nothing gathers: nobody would write it
            self.losses["error"] += len(_take(self._records))
        finally:
            self._begun.set()
            self._over.set()
            self._done.settle(True)

    def _keep(self, keeper: Keeper, since: float, over: bool) -> None:
        """Take what has gathered since then, and keep it."""
        records, told = _take(self._records), _take(self._events)
        durable, memory = False, self.losses["memory"]
        try:
            keeper.overflowed(memory - self._overflowed)
            self._overflowed = memory
            outcome = keeper.keep(records, [one.events for one in told], since, over)
            self.written += outcome.written
            self.losses.update(outcome.losses)
            durable = outcome.durable
        except Exception:  # the root of a round: whatever it is, the next one may go well
            self.losses["error"] += len(records) + sum(len(one.events) for one in told)
            self._log.warning("observations-dropped", reason="error", error=traceback.format_exc(limit=-10))
        for one in told:
            one.settle(durable)
        self._gone += sum(record[-1] for record in records) + sum(one.weight for one in told)


def _take(waiting: list[Any]) -> list[Any]:
    """All that is there now: each step is one of the interpreter, so that the event loop may append meanwhile."""
    taken = waiting[:]
    del waiting[: len(taken)]
    return taken
