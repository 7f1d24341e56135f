"""A control plane on a model of the engine, born again after each crash: for tests of the pure part of the loop.

Ledger, view, controller and performer are the real ones, thrown away and opened again at every crash; the engine and the
registry are dictionaries that outlive it.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from pathlib import Path
from typing import Any

from loopwright.catalog import Store
from loopwright.engines.base import EngineReport, Job, JobStatus, ReplicaSet, ReplicaSetStatus, Route
from loopwright.errors import StepFailed
from loopwright.ledger import Ledger
from loopwright.loop.book import Book
from loopwright.loop.case import Case, Services
from loopwright.loop.change import Change
from loopwright.loop.performer import Performer
from loopwright.loop.pipeline import Outcome, advance
from loopwright.loop.releaser import route_table
from loopwright.loop.steps import ApprovalStep, CallStep, JobStep, ReleaseStep, Step
from loopwright.loop.steps.tasks import with_tasks
from loopwright.loop.transfers import change_of, transfer_case
from loopwright.spec import Workload, load_text
from loopwright.state import StateFolder

SPEC = """
apiVersion: loopwright/v1
workload: toy
owner: ada@example.com
data: {rows: {source: rows.csv, label: y}}
training: {command: "python t.py {data.rows.train} {outputs}", dependencies: {requirements: r.txt}}
serving: {entry: score.py}
environments: {prod: {approval: required}}
"""


class CrashError(Exception):
    """The process ends here."""


class Toy(JobStep):
    """A job that always succeeds, unless it is told otherwise."""

    name = "train"

    def inputs(self, case: Case) -> dict[str, Any]:
        return {"spec": case.change.spec}

    def job(self, case: Case, services: Services, job_id: str, folder: Path) -> Job:
        return Job(
            id=job_id, workload=case.change.workload, step=self.name, command=("true",), directory=str(folder)
        )

    def result(self, case: Case, services: Services, job_id: str, folder: Path) -> dict[str, Any]:
        if case.change.spec == "broken":
            raise StepFailed("no model")
        return {"digest": case.change.spec, "columns": [], "example": {"request": {}}}


class Package(Toy):
    name = "package"
    needs = ("train",)


class Register(CallStep):
    name = "register"
    needs = ("package",)

    def inputs(self, case: Case) -> dict[str, Any]:
        return {"package": case.outputs["package"]["digest"]}

    def call(self, case: Case, services: Services) -> dict[str, Any]:
        world = services.engine
        assert isinstance(world, World)
        version = world.versions.setdefault(case.outputs["package"]["digest"], len(world.versions) + 1)
        world.crash_here()
        return {"version": version}


class Approve(ApprovalStep):
    name = "approval"
    needs = ("register",)
    environment = "prod"

    def inputs(self, case: Case) -> dict[str, Any]:
        return {"package": case.outputs["package"]["digest"]}

    def approval_id(self, case: Case) -> str:
        return f"{case.change.id}-prod"


class Prod(ReleaseStep):
    name = "prod"
    needs = ("approval",)
    environment = "prod"

    def inputs(self, case: Case) -> dict[str, Any]:
        return {"revision": self.revision(case)}

    def revision(self, case: Case) -> str:
        return str(case.outputs["package"]["digest"])

    def replica_set(self, case: Case) -> str:
        return f"prod--{case.change.workload}--{self.revision(case)}"


def toy_steps(spec: Workload) -> tuple[Step, ...]:
    """The loop in small, with the tasks that the spec has."""
    return with_tasks(spec, (Toy(), Package(), Register(), Approve(), Prod()))


class World:
    """What outlives the control plane: engine and registry. Crashes at the operation it is told to."""

    name = "model"
    url = "http://tracking"

    def __init__(self, crash_at: int | None = None) -> None:
        self.jobs: dict[str, JobStatus] = {}
        self.sets: dict[str, ReplicaSet] = {}
        self.routes: tuple[Route, ...] = ()
        self.versions: dict[str, int] = {}
        self.alias = 0
        self.started: list[str] = []
        self.failing: dict[str, int] = {}  # step -> how many of its jobs fail
        self.busy: set[str] = set()  # steps whose jobs do not end
        self.endless: set[str] = set()  # replica sets that never become ready
        self._operations = itertools.count()
        self._crash_at = crash_at
        self.crashed = False

    def crash_from(self, crash_at: int | None) -> None:
        """Count the operations anew, and crash at this one of them."""
        self._operations, self._crash_at = itertools.count(), crash_at

    def crash_here(self) -> None:
        if next(self._operations) == self._crash_at:
            self.crashed = True
            raise CrashError

    def submit(self, job: Job) -> None:
        self.crash_here()
        if job.id not in self.jobs:
            self.started.append(job.id)
            self.jobs[job.id] = self._status(job)
        self.crash_here()

    def _status(self, job: Job) -> JobStatus:
        if job.step in self.busy:
            return JobStatus(id=job.id, state="running")
        if self.failing.get(job.step, 0) > 0:
            self.failing[job.step] -= 1
            return JobStatus(id=job.id, state="failed", exit_code=1, reason="exit")
        return JobStatus(id=job.id, state="succeeded", exit_code=0)

    def cancel(self, job_id: str) -> None:
        self.jobs[job_id] = JobStatus(id=job_id, state="failed", reason="cancelled")

    def forget(self, job_id: str) -> None:
        del self.jobs[job_id]

    def set_replicas(self, replica_set: ReplicaSet) -> None:
        self.sets[replica_set.name] = replica_set
        self.crash_here()

    def remove_replicas(self, name: str) -> None:
        self.sets.pop(name, None)

    def probe(self, name: str, body: bytes, timeout: float) -> list[tuple[int, bytes]]:
        self.crash_here()
        return [(500 if "bad-answer" in name else 200, b"{}")] * 2

    def set_routes(self, routes: tuple[Route, ...]) -> str:
        self.crash_here()
        self.routes = routes
        return self.routes_digest(routes)

    def routes_digest(self, routes: tuple[Route, ...]) -> str:
        return ",".join(route.backends[0].replica_set for route in routes)

    def ring(self) -> None:
        pass

    def endpoint(self, environment: str, workload: str) -> str:
        return f"http://gateway/{environment}/{workload}/score"

    def set_alias(self, name: str, alias: str, version: int) -> None:
        self.crash_here()
        self.alias = version

    def report(self) -> EngineReport:
        sets = {
            name: ReplicaSetStatus(name=name, wanted=2, ready=0 if name in self.endless else 2)
            for name in self.sets
        }
        return EngineReport(
            jobs=self.jobs, replica_sets=sets, routes_accepted=self.routes_digest(self.routes)
        )


class CrashingBook(Book):
    """Dies before and after each append, when the world says so."""

    world: World

    def append(self, *words: Any) -> Any:
        self.world.crash_here()
        fact = super().append(*words)
        self.world.crash_here()
        return fact

    def append_once(self, *words: Any) -> Any:
        self.world.crash_here()
        fact = super().append_once(*words)
        self.world.crash_here()
        return fact


class Life:
    """A control plane on a state folder, born again after each crash."""

    def __init__(self, home: Path, world: World, more: str = "") -> None:
        """`more` is put at the end of the spec, as further sections."""
        self.state, self.world = StateFolder(home), world
        self.spec = load_text(SPEC + more, "loopwright.yaml", None)
        self.now = 0.0
        self.be_born()

    def be_born(self) -> None:
        self.ledger = Ledger.open(self.state.ledger, self.state.ledger_key, self.state.ledger_head)
        self.book = CrashingBook(self.ledger)
        self.book.world = self.world
        store = Store(self.state.store)
        self.services = Services(self.state, store, self.world, self.world, self.book)  # type: ignore[arg-type]

    def request(self, spec: str, auto: bool = True, workload: str = "toy") -> Change:
        number = self.book.view.numbers[workload] + 1
        fields: dict[str, Any] = {
            "folder": "/",
            "files": {},
            "sources": {},
            "commit": None,
            "dirty": False,
            "diff": None,
            "author": "ada",
        }
        change = Change(
            id=f"{workload}-{number}",
            workload=workload,
            spec=spec,
            auto_approve=auto,
            actor="ada",
            requested_at=0.0,
            cleans_up=any(task.always for task in self.spec.pipeline.tasks.values()),
            **fields,
        )
        older = self.book.view.newest.get(workload, "")
        if older and self.book.view.outcome(older) == "running":
            self.end(older, "change.superseded", {"by": change.id})
        Book.append(self.book, "change.requested", workload, change.id, change.body(), "ada", 0.0)
        return change

    def end(self, change: str, kind: str, body: dict[str, Any]) -> None:
        """Record that a person, or a newer change, ends a change."""
        Book.append(self.book, kind, change.rpartition("-")[0], change, body, "ada", self.now)

    def round(self) -> dict[str, Outcome]:
        """One tick of the driver: everything that is watched is looked at, and jobs that nothing wants are ended."""
        view = self.book.view
        transfers = [change_of(view, fact) for fact in view.watched_transfers()]
        outcomes: dict[str, Outcome] = {}
        wanted: set[str] = set()
        for change in [*view.watched(self.world.jobs), *transfers]:
            outcomes[change.id] = self.tick(change, wanted)
            wanted |= outcomes[change.id].jobs
        for job in [job for job in self.world.jobs if job not in wanted]:
            ended = self.world.jobs[job].state in ("succeeded", "failed")
            self.world.forget(job) if ended else self.world.cancel(job)
        return outcomes

    def rounds(self, count: int = 30) -> dict[str, Outcome]:
        """So many rounds, through crashes; the last one's answers."""
        outcomes: dict[str, Outcome] = {}
        for _ in range(count):
            try:
                outcomes = self.round()
            except CrashError:
                self.ledger.close()
                self.be_born()
        return outcomes

    def tick(self, change: Change, taken: Collection[str] = ()) -> Outcome:
        self.now += 1
        view = self.book.view
        transfer = view.transfers.get(change.id)
        case, steps = (
            transfer_case(view, transfer, self.spec)
            if transfer
            else (Case(self.spec, change, view), toy_steps(self.spec))
        )
        routes = self.world.set_routes(route_table(self.book.view, self.state))
        outcome = advance(
            case, steps, self.world.report(), routes, self.now, lambda step, output: True, taken
        )
        for action in outcome.actions:
            Performer(self.services, case, lambda: self.now).perform(action)
        return outcome

    def live(self, change: Change, ticks: int = 60) -> Outcome:
        """Tick until the change ends, rising again after a crash."""
        for _ in range(ticks):
            try:
                outcome = self.tick(change)
            except CrashError:
                self.ledger.close()
                self.be_born()
                continue
            if outcome.failed or (outcome.finished and change.id in self.book.view.ended):
                return outcome
        raise AssertionError(f"{change.id} did not end: {outcome.states}")

    def kinds(self, kind: str) -> int:
        """How many facts of a kind there are."""
        return sum(fact.kind == kind for fact in self.ledger.facts())


def toy_replica_set(case: Case, services: Services, environment: str, released: bool = True) -> ReplicaSet:
    """What `loop.serving.replica_set` gives, without a serving.json: the model engine needs none."""
    return ReplicaSet(
        name=Prod().replica_set(case),
        workload=case.change.workload,
        environment=environment,
        revision="",
        settings="",
        minimum=case.spec.serving.replicas.min if released else max(1, case.spec.serving.replicas.min),
        maximum=2,
        target_utilization=0.7,
        scale_interval=1.0,
        concurrency=8,
    )
