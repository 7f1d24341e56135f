"""What the ledger says serves is kept served, whatever becomes of the changes after it.

Why: a release is a fact, and what makes it true can be lost: a state folder restored on another machine, a desired.json
or a Python environment that is gone, a change that ended while it switched a route. `decide` is pure and called at every
tick; `Upkeeper` performs what it says. Only the engine is asked again: no training, no package, no version, no release.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from loopwright.engines.base import EngineReport, JobStatus
from loopwright.errors import LoopwrightError
from loopwright.ledger import Fact
from loopwright.loop.case import Services
from loopwright.loop.change import Change
from loopwright.loop.recorder import US
from loopwright.loop.released import released
from loopwright.loop.releaser import move_alias
from loopwright.loop.serving import replica_set
from loopwright.loop.steps.base import our_job, our_output
from loopwright.loop.view import View
from loopwright.spec.models import Workload

_PATIENCE = 10.0  # seconds before a failed build is tried again; doubled with each failure
_MOST_DOUBLED = 6
_OWN_TIME = 5.0  # seconds in which a release's own change moves its alias


@dataclass(frozen=True)
class Restore:
    """Ask the engine for a release's replicas again."""

    release: Fact


@dataclass(frozen=True)
class Point:
    """Want a release's route again."""

    release: Fact


@dataclass(frozen=True)
class Build:
    """Start the job that makes a release's Python environment again."""

    release: Fact
    job: str


@dataclass(frozen=True)
class Built:
    """Take in that job's end."""

    release: Fact
    job: str
    status: JobStatus


@dataclass(frozen=True)
class Settle:
    """Let a release's replicas go to zero: until it was recorded, it kept one to be checked."""

    release: Fact


@dataclass(frozen=True)
class Name:
    """Move the registry's alias to a release whose change was ended before it did."""

    release: Fact


Mend = Restore | Point | Build | Built | Settle | Name


@dataclass(frozen=True)
class Upkeep:
    """What is to be mended, and what must not be cleaned away."""

    mends: tuple[Mend, ...]
    jobs: frozenset[str]
    replica_sets: frozenset[str]


def decide(
    view: View,
    report: EngineReport,
    complete: Callable[[str], bool],
    warmth: Callable[[Fact], float],
    now: float,
) -> Upkeep:
    """Say what is missing of what serves.

    `complete` tells whether the Python environment of a digest is there; `warmth`, for how many seconds what a release
    replaced is kept running, so that a rollback need not wait for it.
    """
    mends: list[Mend] = []
    jobs: set[str] = set()
    current = [releases[-1] for releases in view.releases.values() if releases]
    for release in current:
        body = release.body
        route = view.routes.get((body["environment"], release.workload))
        unrouted = route is None or route.body["replica_set"] != body["replica_set"]
        if unrouted and (body["environment"], release.workload) not in view.releasing():
            mends.append(Point(release))
        if not body["package"].get("compiled") and not complete(body["package"]["environment"]):
            mends += _building(view, report, release, jobs, now)
        elif body["replica_set"] not in report.replica_sets:
            mends.append(Restore(release))
        elif body.get("least", 1) == 0 and view.mark("release.settled", release.key) is None:
            mends.append(Settle(release))
        if not view.aliased(release) and view.elapsed(release, now) > _OWN_TIME:
            mends.append(Name(release))
    sets = {release.body["replica_set"] for release in current}
    for releases in view.releases.values():
        if len(releases) > 1 and view.elapsed(releases[-1], now) < warmth(releases[-1]):
            sets.add(releases[-2].body["replica_set"])
    return Upkeep(tuple(mends), frozenset(jobs), frozenset(sets))


def _building(
    view: View, report: EngineReport, release: Fact, jobs: set[str], now: float
) -> tuple[Mend, ...]:
    digest = release.body["package"]["environment"]
    tries = view.rebuilds.get(digest, [])
    failures = _failures_in_a_row(tries)
    job = f"upkeep.environment.{digest[:12]}.{len(tries)}"
    if job in jobs or digest not in view.environments:
        return ()  # another release of it waits for the same, or nobody knows its lock
    jobs.add(job)
    status = report.jobs.get(job)
    if status is None:
        wait = _PATIENCE * 2 ** min(failures, _MOST_DOUBLED) if failures else 0.0
        return (Build(release, job),) if not tries or view.elapsed(tries[-1], now) >= wait else ()
    return () if status.state in ("pending", "running") else (Built(release, job, status),)


def _failures_in_a_row(tries: list[Fact]) -> int:
    count = 0
    for fact in reversed(tries):
        if fact.kind != "environment.failed":
            break
        count += 1
    return count


class Upkeeper:
    """Performs what `decide` says. Each may be repeated."""

    def __init__(
        self, services: Services, spec: Callable[[Change], Workload], clock: Callable[[], float] = time.time
    ) -> None:
        self._services = services
        self._book = services.book
        self._spec = spec
        self._clock = clock

    def perform(self, mend: Mend) -> None:
        """Do it, and record it."""
        match mend:
            case Restore():
                self._restore(mend.release)
            case Settle():
                self._settle(mend.release)
            case Point():
                self._point(mend.release)
            case Build():
                self._build(mend)
            case Built():
                self._take_in(mend)
            case Name():
                move_alias(self._services, mend.release, self._clock())

    def _restore(self, release: Fact) -> None:
        self._want(release)
        environment = release.body["environment"]
        body = {name: release.body[name] for name in ("environment", "replica_set", "version")}
        key = f"{release.workload}@{environment}"
        self._book.append("release.restored", release.workload, key, body, US, self._clock())

    def _settle(self, release: Fact) -> None:
        self._want(release)
        body = {name: release.body[name] for name in ("environment", "replica_set", "version")}
        self._book.append_once("release.settled", release.workload, release.key, body, US, self._clock())

    def _want(self, release: Fact) -> None:
        view = self._book.view
        case = released(view, release, self._spec(view.changes[release.body["change"]]))
        self._services.engine.set_replicas(replica_set(case, self._services, release.body["environment"]))

    def _point(self, release: Fact) -> None:
        key = f"{release.workload}@{release.body['environment']}"
        body = release.body["route"]
        self._book.append("route.wanted", release.workload, key, body, US, self._clock())

    def _build(self, mend: Build) -> None:
        view, services = self._book.view, self._services
        known = view.environments[mend.release.body["package"]["environment"]].body["output"]
        case = released(view, mend.release, self._spec(view.changes[mend.release.body["change"]]))
        given = {
            "requirements": "",
            "lock": services.store.file(known["lock"]).read_text(),
            "python_version": known["python_version"],
            "environments": str(services.state.environments),
        }
        folder = services.job_folder(mend.job)
        job = our_job(
            "loopwright.training.environment_job", "environment", case, mend.job, folder, given,
            max_duration=3600.0,
        )  # fmt: skip
        services.engine.submit(job)

    def _take_in(self, mend: Built) -> None:
        digest = mend.release.body["package"]["environment"]
        failure = self._failure(mend, digest)
        body = {"digest": digest, "job": mend.job} | ({"message": failure} if failure else {})
        kind = "environment.failed" if failure else "environment.rebuilt"
        self._book.append_once(kind, mend.release.workload, mend.job, body, US, self._clock())

    def _failure(self, mend: Built, digest: str) -> str:
        """Why the job left no such environment; empty where it did."""
        folder = self._services.job_folder(mend.job)
        if mend.status.state == "failed":
            return f"The job {mend.job} failed ({mend.status.reason}); its log is {self._services.engine.job_log(mend.job)}."
        try:
            made = our_output(folder, "environment")["digest"]
        except LoopwrightError as error:
            return error.message
        if made != digest:
            return (
                f"The lock gives the environment {made[:12]} on this machine, and {digest[:12]} is what serves: "
                "another system or processor. What serves cannot be brought up here; `loopwright up` makes it anew."
            )
        return ""
