"""The loop itself: look, decide, act, again. The only place where the controllers are asked.

One thread decides; `Hands` perform what it decided, in others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace

from loopwright.engines.base import EngineReport
from loopwright.errors import LoopwrightError, StaleEpochError, TemporaryError
from loopwright.ledger import Fact
from loopwright.log import logger
from loopwright.loop.actions import Action
from loopwright.loop.case import Case, Output, Services
from loopwright.loop.change import Change
from loopwright.loop.hands import Hands
from loopwright.loop.pipeline import Outcome, advance
from loopwright.loop.progress import Progress, ProgressBoard
from loopwright.loop.releaser import route_table
from loopwright.loop.steps import Step, plan
from loopwright.loop.transfers import change_of, transfer_case
from loopwright.loop.upkeep import Upkeeper, decide
from loopwright.loop.view import View
from loopwright.loop.walk import StepState
from loopwright.spec import Workload, load_stored
from loopwright.spec.environments import Environment
from loopwright.state import full_disk

_MOST_ENDED = 50  # jobs that have ended and are not forgotten yet, while actions go on
_TICK = 1.0  # seconds between two looks where nothing rings
_MOST_SPECS = 100  # specs held in memory; all are read again from the store where there are more

_log = logger("loop")


class Driver:
    """Drives every workload's newest change."""

    def __init__(
        self,
        services: Services,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` dates facts; `monotonic` times what is tried again, whatever the clock is set to."""
        self.services = services = replace(services, clock=clock)
        self.board = ProgressBoard()
        self._clock = clock
        self._specs: dict[str, Workload] = {}
        upkeeper = Upkeeper(services, self.spec, clock)
        self.hands = Hands(services, upkeeper, lambda: self.on_lost(), monotonic)
        self._wake_at: float | None = None  # when a step may be tried again
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)
        self.trouble = ""  # why nothing goes on at present; empty where it does
        self.on_lost: Callable[[], None] = lambda: None  # called when another control plane has taken over
        # Raises TemporaryError while it cannot be told that we are the only control plane, StaleEpochError where we are not.
        self.require_alone: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to drive."""
        self._thread.start()

    def stop(self) -> None:
        """End after the tick under way; actions under way are completed."""
        self._stopping.set()
        self._thread.join(timeout=10)
        self.hands.stop()

    def spec(self, change: Change) -> Workload:
        """The spec that a change carries."""
        if change.spec not in self._specs:
            self._specs[change.spec] = load_stored(self.services.store.file(change.spec))
        return self._specs[change.spec]

    def look(
        self, change: Change, report: EngineReport, routes: str, taken: Collection[str] = ()
    ) -> tuple[Case, Outcome]:
        """Decide for one change, without acting. Hold the book's lock.

        `routes` is the digest of the wanted table, `taken` are the jobs that newer changes want.
        """
        book = self.services.book
        transfer = book.view.transfers.get(change.id)
        if transfer is None:
            case = Case(self.spec(change), change, book.view)
            steps = plan(case.spec)
        else:
            case, steps = transfer_case(book.view, transfer, self.spec(change))
        case = replace(case, endpoint=self.services.engine.endpoint)
        return case, advance(case, steps, report, routes, self._clock(), self._available, taken)

    def _warmth(self, release: Fact) -> float:
        """Seconds that what this release replaced is kept running.

        A spec that is damaged, or that this Loopwright refuses, must not hold up what other workloads want: the default.
        """
        try:
            spec = self.spec(self.services.book.view.changes[release.body["change"]])
            return spec.environments[release.body["environment"]].keep_warm
        except (LoopwrightError, KeyError) as error:
            _log.error("a release's spec cannot be read", extra={"action": "warmth", "error": str(error)})
            return Environment().keep_warm

    def _available(self, step: Step, output: Output) -> bool:
        return step.available(output, self.services.kept)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.require_alone()
                self.tick()
                self.trouble = full_disk(self.services.state.root)
            except StaleEpochError:
                _log.exception("this control plane was superseded", extra={"action": "epoch-lost"})
                self.on_lost()
                return
            except (
                TemporaryError
            ) as error:  # the database is away: nothing is decided, and nothing is given up
                self._pause(error)
            except Exception as error:
                self._tell(error)
                self._stopping.wait(_TICK)
            left = self._wake_at - self._clock() if self._wake_at is not None else _TICK
            self.services.engine.wait(max(0.0, min(_TICK, left)))

    def _tell(self, error: Exception) -> None:
        """Why nothing can be decided: once in the log, and in `trouble` for as long as it is so."""
        told = error.message if isinstance(error, LoopwrightError) else repr(error)
        if told != self.trouble:
            trace = None if isinstance(error, LoopwrightError) else error
            _log.error("nothing can be decided now", extra={"action": "tick", "error": told}, exc_info=trace)
        self.trouble = told

    def _pause(self, error: TemporaryError) -> None:
        self._tell(error)
        self.hands.try_all()
        self._stopping.wait(error.delay)

    def tick(self) -> None:
        """Look once at everything, and act."""
        engine, book = self.services.engine, self.services.book
        # Taken before the look: what ends meanwhile was decided on facts that are older than its outcome.
        busy = self.hands.busy()
        report = engine.report()
        jobs: set[str] = set()
        sets: set[str] = set()
        todo: list[tuple[Case, Action]] = []
        with book.locked():
            view = book.view
            book.note_clock(self._clock())
            wanted_routes = engine.set_routes(route_table(view, self.services.state))
            watched = self.watched(report.jobs)
            self._forget(view, {change.id for change in watched})
            judged = self._judge_all(watched, report, wanted_routes)
            self.board.settle({one: view.outcome(one) for one in view.transfers})
            self._wake_at = min(
                (outcome.wake_at for _, outcome in filter(None, judged) if outcome.wake_at is not None),
                default=None,
            )
            for case, outcome in filter(None, judged):
                jobs |= outcome.jobs
                sets |= outcome.replica_sets
                todo += [(case, action) for action in outcome.actions]
                self._publish(case.change, outcome)
            upkeep = decide(view, report, self.services.kept.has_python, self._warmth, self._clock())
            jobs |= upkeep.jobs
            sets |= upkeep.replica_sets
            sets |= {fact.body["replica_set"] for fact in view.routes.values()}
        for case, action in todo:
            self.hands.submit(case, action, busy)
        for mend in upkeep.mends:
            self.hands.mend(mend, busy)
        if all(judged):
            self._clean(report, jobs, sets, report.routes_accepted == wanted_routes, bool(todo))

    def watched(self, jobs: Collection[str] = ()) -> list[Change]:
        """The changes, promotions and rollbacks that something may still have to be done for. Hold the book's lock.

        `jobs` are the ids of those that the engine reports: what changes that were stopped have started is theirs to take in.
        """
        view = self.services.book.view
        return [*view.watched(jobs), *(change_of(view, fact) for fact in view.watched_transfers())]

    def _forget(self, view: View, watched: set[str]) -> None:
        """Keep nothing in memory of changes that are over: a control plane lives for months."""
        self.hands.forget((view.changes.keys() | view.transfers.keys()) - watched)
        if len(self._specs) > _MOST_SPECS:
            self._specs = {}
        self.board.forget(watched)

    def _judge_all(
        self, watched: list[Change], report: EngineReport, routes: str
    ) -> list[tuple[Case, Outcome] | None]:
        """The newest changes first: an older one takes in no job that these want."""
        judged: list[tuple[Case, Outcome] | None] = []
        taken: frozenset[str] = frozenset()
        for change in watched:
            one = self._judge(change, report, routes, taken)
            judged.append(one)
            taken |= one[1].jobs if one else frozenset()
        return judged

    def _judge(
        self, change: Change, report: EngineReport, routes: str, taken: Collection[str]
    ) -> tuple[Case, Outcome] | None:
        """As `look`; a change that cannot be judged is logged, and holds up neither the others nor itself for good."""
        try:
            return self.look(change, report, routes, taken)
        except Exception as error:
            _log.exception("a change cannot be judged", extra={"action": "look", "change": change.id})
            self.board.publish(Progress.troubled(change, error, self.board.known(change.id)))
            return None

    def _clean(
        self, report: EngineReport, jobs: set[str], sets: set[str], routes_settled: bool, acting: bool
    ) -> None:
        """End what nothing wants any more; replicas only once no gateway can send them a request.

        Ended jobs are forgotten in a moment without actions: each costs writes that the next job would wait for.
        """
        engine = self.services.engine
        unwanted = [status for job_id, status in report.jobs.items() if job_id not in jobs]
        ended = [status for status in unwanted if status.state in ("succeeded", "failed")]
        for status in unwanted:
            if status.state in ("pending", "running"):
                engine.cancel(status.id)
        for status in ended if not acting or len(ended) > _MOST_ENDED else ():
            engine.forget(status.id)
        if routes_settled:
            for name in sorted(set(report.replica_sets) - sets):
                engine.remove_replicas(name)

    def _publish(self, change: Change, outcome: Outcome) -> None:
        states = [self._with_retry(change, state) for state in outcome.states]
        self.board.publish(Progress.of(change, states, outcome))

    def _with_retry(self, change: Change, state: StepState) -> StepState:
        failing = self.hands.failing(change.id, state.step)
        if state.state != "running" or not (failing or self.trouble):
            return state
        return replace(state, message=f"{failing} Trying again." if failing else self.trouble)
