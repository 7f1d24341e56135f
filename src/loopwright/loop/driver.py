"""The loop itself: look, decide, act, again. The only place where the controllers' answers are carried out.

One thread decides; actions run in a few others, since some wait for the tracking server or copy large files, and one
workload must not hold up the next. A change's step has at most one action under way. What fails for the moment is
tried again with the next ticks; what fails by a fault of ours is logged, and told as the step's failure.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from loopwright.engines.base import EngineReport
from loopwright.errors import LoopwrightError, StaleEpochError, TemporaryError
from loopwright.ledger import Fact
from loopwright.log import logger
from loopwright.loop.actions import Action, End
from loopwright.loop.case import Case, Output, Services
from loopwright.loop.change import Change
from loopwright.loop.performer import Performer, route_table
from loopwright.loop.pipeline import Outcome, advance
from loopwright.loop.progress import Progress, ProgressBoard
from loopwright.loop.steps import Step, plan
from loopwright.loop.transfers import change_of, transfer_case
from loopwright.loop.upkeep import Mend, Upkeeper, decide
from loopwright.loop.view import View
from loopwright.loop.walk import StepState
from loopwright.spec import Workload, load_stored
from loopwright.spec.environments import Environment
from loopwright.state import full_disk

_THREADS = 4
_MOST_ENDED = 50  # jobs that have ended and are not forgotten yet, while actions go on
_TICK = 1.0  # seconds between two looks where nothing rings
_PAUSE = 10.0  # seconds before another try where an outcome could not be recorded
_MOST_SPECS = 100  # specs held in memory; all are read again from the store where there are more
_GIVE_UP = 300.0  # seconds after which what fails for the moment fails for good

_log = logger("loop")


@dataclass
class _Retry:
    """A passing failure of one step; times are monotonic seconds."""

    since: float
    at: float
    message: str


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
        self._clock, self._monotonic = clock, monotonic
        self._specs: dict[str, Workload] = {}
        self._busy: dict[tuple[str, str], Future[None]] = {}
        self._retries: dict[tuple[str, str], _Retry] = {}
        self._upkeeper = Upkeeper(services, self.spec, clock)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="action")
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
        self._pool.shutdown(wait=True, cancel_futures=True)

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
        self._retries.clear()
        self._stopping.wait(error.delay)

    def tick(self) -> None:
        """Look once at everything, and act."""
        engine, book = self.services.engine, self.services.book
        # Taken before the look: what ends meanwhile was decided on facts that are older than its outcome.
        self._busy = {key: future for key, future in list(self._busy.items()) if not future.done()}
        busy = set(self._busy)
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
            self._submit(case, action, busy)
        for mend in upkeep.mends:
            self._mend(mend, busy)
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
        over = (view.changes.keys() | view.transfers.keys()) - watched
        for key in list(self._retries):
            if key[0] in over:
                self._retries.pop(key, None)
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

    def _submit(self, case: Case, action: Action, busy: set[tuple[str, str]]) -> None:
        step = "" if isinstance(action, End) else action.step.name
        key = (case.change.id, step)
        retry = self._retries.get(key)
        if key in busy or (retry and retry.at > self._monotonic()):
            return
        self._busy[key] = self._pool.submit(self._perform, key, case, action)

    def _mend(self, mend: Mend, busy: set[tuple[str, str]]) -> None:
        """Keep what serves served; what fails is logged, and tried again after a while."""
        release = mend.release
        key = (f"{release.workload}@{release.body['environment']}", type(mend).__name__)
        retry = self._retries.get(key)
        if key not in busy and not (retry and retry.at > self._monotonic()):
            self._busy[key] = self._pool.submit(self._perform_mend, key, mend)

    def _perform_mend(self, key: tuple[str, str], mend: Mend) -> None:
        try:
            self._upkeeper.perform(mend)
            self._retries.pop(key, None)
        except StaleEpochError:
            self.on_lost()
        except Exception as error:
            _log.exception("what serves cannot be kept", extra={"action": key[1], "endpoint": key[0]})
            now = self._monotonic()
            self._retries[key] = _Retry(now, now + _PAUSE, repr(error))
        finally:
            self.services.engine.ring()

    def _perform(self, key: tuple[str, str], case: Case, action: Action) -> None:
        performer = Performer(self.services, case, self._clock)
        try:
            performer.perform(action)
            self._retries.pop(key, None)
        except TemporaryError as error:
            self._later(key, performer, action, error)
        except StaleEpochError:
            self.on_lost()
        except Exception as error:
            _log.exception(
                "an action failed", extra={"action": type(action).__name__, "change": key[0], "step": key[1]}
            )
            self._fault(key, performer, action, error)
        finally:
            self.services.engine.ring()

    def _fault(self, key: tuple[str, str], performer: Performer, action: Action, error: Exception) -> None:
        """Record a fault; where even that fails (a full disk), try the action again later, not at once."""
        try:
            performer.fault(action, error)
        except Exception:
            _log.exception(
                "a fault cannot be recorded", extra={"action": "fault", "change": key[0], "step": key[1]}
            )
            now = self._monotonic()
            self._retries[key] = _Retry(
                now, now + _PAUSE, "The outcome cannot be recorded; the control plane's log says why."
            )

    def _later(
        self, key: tuple[str, str], performer: Performer, action: Action, error: TemporaryError
    ) -> None:
        now = self._monotonic()
        since = self._retries[key].since if key in self._retries else now
        if now - since > _GIVE_UP:
            self._retries.pop(key, None)
            performer.fault(action, error)
        else:
            self._retries[key] = _Retry(since, now + error.delay, error.message)

    def _publish(self, change: Change, outcome: Outcome) -> None:
        states = [self._with_retry(change, state) for state in outcome.states]
        self.board.publish(Progress.of(change, states, outcome))

    def _with_retry(self, change: Change, state: StepState) -> StepState:
        retry = self._retries.get((change.id, state.step))
        if state.state != "running" or not (retry or self.trouble):
            return state
        return replace(state, message=f"{retry.message} Trying again." if retry else self.trouble)
