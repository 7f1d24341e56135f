"""Scores with user code: keeps the worker processes of a replica alive and hands them requests, or batches of rows.

Requests line up here and not at a worker, so that one which has not begun can still be dropped, or given to another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from loopwright.scoring import worker_shim as shim
from loopwright.scoring.batching import Columns
from loopwright.scoring.line import Line
from loopwright.scoring.logs import Log
from loopwright.scoring.refusals import (
    Draining,
    Failed,
    InvalidInput,
    Late,
    NotJson,
    NotTaken,
    UnknownMediaType,
)
from loopwright.scoring.rows import Row
from loopwright.scoring.settings import Settings
from loopwright.scoring.telemetry import Telemetry
from loopwright.scoring.worker import Call, Explanation, Reply, Started, WorkerProcess, describe_exit, launch

_FIRST_DELAY, _LONGEST_DELAY = 0.1, 10.0  # seconds between starts of one that keeps failing


class _Refused(msgspec.Struct, frozen=True):
    status: int
    message: str
    field: str = ""  # which of a row it is about, with what a client is told of it
    row: int = 0
    found: str = ""
    expected: str = ""


def restart_delay(failures: int) -> float:
    """Seconds before the next start, after so many workers in a row that ended without one answer."""
    return 0.0 if failures <= 1 else min(_FIRST_DELAY * 2.0 ** min(failures - 2, 30), _LONGEST_DELAY)


class WorkerPool:
    """A Scorer with `settings.workers` processes."""

    def __init__(self, settings: Settings, telemetry: Telemetry, log: Log) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._log = log
        self._workers: set[WorkerProcess] = set()
        self._line = Line(settings, self._workers, self._overdue)
        self._keepers: list[asyncio.Task[str]] = []
        self._troubles: dict[int, str] = {}
        self._came_up = False
        self._stopping = False
        self.started = Started(0.0)  # what the newest worker said of what it hosts

    @property
    def ready(self) -> bool:
        """Every worker has come up once, and one can score now."""
        return self._came_up and any(worker.ready for worker in self._workers)

    @property
    def message(self) -> str:
        if self._troubles:
            return "; ".join(dict.fromkeys(self._troubles.values()))
        if self._came_up:
            return "" if self.ready else "a worker is being replaced"
        return f"starting: {sum(worker.ready for worker in self._workers)} of {self._settings.workers} workers have finished init()"

    def pids(self) -> dict[str, int]:
        """The processes to be measured, by name."""
        return {f"worker-{worker.slot}": worker.process.pid for worker in self._workers}

    @property
    def parallel(self) -> int:
        """How many calls it takes at once."""
        each = self._settings.limits.concurrency if self._settings.thread_safe else 1
        return self._settings.workers * each

    def score_now(self, rows: list[Row]) -> Columns | None:
        """Never: it has to ask a worker."""
        del rows
        return None

    @property
    def ends_late(self) -> bool:
        """A worker that is late is killed; what it was at is begun again where it may be."""
        return self._settings.idempotent

    def lets_pass(self, rows: int) -> bool:
        """Never: a worker is busy as long as it takes."""
        del rows
        return False

    async def score_rows(self, rows: list[Row], within: float | None = None) -> Columns:
        """A column for each output of a model; of a script, one with its answers as they are."""
        reply = await self.ask(shim.ROWS, msgspec.json.encode(rows), within)
        if self._settings.outputs is not None:
            columns: Columns = msgspec.json.decode(reply.payload)
            return columns
        return [msgspec.json.decode(reply.payload, type=list[msgspec.Raw])]

    async def ask(self, kind: int, body: bytes, within: float | None = None) -> Reply:
        """The reply to a body of that kind, an answer or a response; raises Refusal, Late after limits.timeout seconds of
        work or `within` so many.

        Cancelling drops the work if it has not begun, else its answer.
        """
        seconds = within or self._settings.limits.timeout
        call = Call(kind, body, asyncio.get_running_loop().create_future(), seconds)
        self._line.add(call)
        try:
            return await call.answer
        except asyncio.CancelledError:
            self._line.withdraw(call)
            raise

    async def run(self) -> str:
        self._keepers = [asyncio.create_task(self._keep(slot)) for slot in range(self._settings.workers)]
        done, _ = await asyncio.wait(self._keepers, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()

    def abandon(self) -> None:
        for call in self._line.clear():
            if not call.answer.done():
                call.answer.set_exception(
                    Draining("This replica is ending and could not finish the request. Try again.")
                )

    async def stop(self, patience: float) -> None:
        self._stopping = True
        for worker in self._workers:
            if worker.ready and not worker.calls:
                worker.close()
            else:
                worker.kill("the replica ends")
        if self._keepers:
            await asyncio.wait(self._keepers, timeout=patience)
        for worker in self._workers:
            worker.kill("the replica ends")

    async def _keep(self, slot: int) -> str:
        """Keep one worker alive; returns only where the first start fails, with the reason, or at the end."""
        failures, was_up = 0, False
        while not self._stopping:
            trouble, useful = await self._live(slot)
            if trouble and not was_up:
                return trouble
            was_up = True
            failures = 1 if useful else failures + 1
            if not self._stopping:
                self._telemetry.worker_restarts.add()
                await asyncio.sleep(restart_delay(failures))
        return ""

    async def _live(self, slot: int) -> tuple[str, bool]:
        """The whole life of one worker process; returns why it did not come up, or nothing, and whether it ever answered."""
        try:
            worker = await launch(self._settings, slot, self._on_reply, self._warm_up_failed)
        except OSError as error:
            why = f"{self._settings.python}: {error.strerror}"
            return self._init_failed(slot, Explanation("OSError", why, "", "")), False
        self._workers.add(worker)
        if self._stopping:
            worker.kill("the replica ends")
        ending = asyncio.create_task(worker.wait())
        started = await worker.started
        if isinstance(started, Started):
            self._init_finished(worker, started)
        trouble = "" if isinstance(started, Started) or self._stopping else self._init_failed(slot, started)
        status = await ending
        self._workers.discard(worker)
        if not trouble:
            self._gone(worker, status)
        return trouble, worker.answered

    def _init_finished(self, worker: WorkerProcess, started: Started) -> None:
        self._troubles.pop(worker.slot, None)
        self.started, seconds = started, started.seconds
        self._telemetry.init_seconds = seconds
        self._log.info(
            "worker-ready", worker=worker.slot, pid=worker.process.pid, init_seconds=round(seconds, 3)
        )
        if sum(one.ready for one in self._workers) == self._settings.workers:
            self._came_up = True
        self._line.move()

    def _init_failed(self, slot: int, explanation: Explanation) -> str:
        self._troubles[slot] = self._log.mask(f"init failed: {explanation}")  # /readyz tells it
        self._log.error("init-failed", worker=slot, error=str(explanation), traceback=explanation.traceback)
        return self._troubles[slot]

    def _warm_up_failed(self, worker: WorkerProcess, explanation: Explanation) -> None:
        """It is tried again; the log has each reason once."""
        known = self._troubles.get(worker.slot)
        self._troubles[worker.slot] = self._log.mask(f"warm-up failed: {explanation}")
        if self._troubles[worker.slot] != known:
            trace = explanation.traceback
            self._log.error("warm-up-failed", worker=worker.slot, error=str(explanation), traceback=trace)

    def _gone(self, worker: WorkerProcess, status: int) -> None:
        """Take back what it had not begun, and once what it had, where that may be; tell the others."""
        how = f"was ended: {worker.ended_by}" if worker.ended_by else describe_exit(status)
        again = []
        for number, call in worker.calls.items():
            call.stop_timer()
            if not worker.begun(number):
                again.append(call)
            elif self._may_begin_again(call):
                call.begun_before = True
                again.append(call)
            elif not call.answer.done():
                message = "The worker process ended while it worked on this request; the replica's log explains the id."
                call.answer.set_exception(Failed(message, f"the worker {how}"))
        log = self._log.info if self._stopping else self._log.warning
        log("worker-exited", worker=worker.slot, pid=worker.process.pid, how=how)
        self._line.put_first(again)

    def _may_begin_again(self, call: Call) -> bool:
        """Whether what a worker had begun is begun by another; not what it was ended for, which has its answer: late."""
        return (
            self._settings.idempotent
            and not self._stopping
            and not call.begun_before
            and not call.answer.done()
        )

    def _overdue(self, worker: WorkerProcess, call: Call) -> None:
        timeout = round(call.seconds, 3)
        self._log.warning("worker-overdue", worker=worker.slot, pid=worker.process.pid, timeout=timeout)
        if not call.answer.done():
            call.answer.set_exception(Late(f"No answer within {self._settings.limits.timeout:g} s."))
        worker.kill(f"a request took longer than {timeout:g} s")

    def _on_reply(self, worker: WorkerProcess, reply: Reply) -> None:
        call = reply.call
        if reply.replaced:
            self._telemetry.count_nonfinite(reply.replaced)
        left_out = reply.kind == shim.WITHDRAWN
        if not left_out and not call.answer.done():
            if reply.kind in (shim.ANSWER, shim.RESPONSE):
                call.answer.set_result(reply)
            else:
                call.answer.set_exception(_refusal(reply, self._log.mask))
        self._line.over(worker, call, left_out)


def _refusal(reply: Reply, mask: Callable[[str], str]) -> Exception:
    if reply.kind == shim.REFUSED:
        refused = msgspec.json.decode(reply.payload, type=_Refused)
        if refused.expected:
            return InvalidInput(refused.field, refused.row, refused.found, refused.expected)
        return UnknownMediaType(refused.message) if refused.status == 415 else NotTaken(refused.message)
    explanation = msgspec.json.decode(reply.payload, type=Explanation)
    if reply.kind == shim.UNREADABLE:
        return NotJson(f"The body is not UTF-8 text: {explanation.text}.")
    message = "The scoring script failed on this request; the replica's log explains the id."
    return Failed(message, mask(str(explanation)), mask(explanation.traceback))
