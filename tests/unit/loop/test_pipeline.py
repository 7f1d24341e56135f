"""The controller and its performer: whatever dies at whatever moment, each thing happens once.

The engine here is a model of one (a dictionary): the real one is met in the acceptance and chaos tests. Ledger, view,
controller and performer are the real ones, and are thrown away and opened again at every crash.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loopwright.catalog import Store
from loopwright.engines.base import EngineReport, Job, JobStatus, ReplicaSet, ReplicaSetStatus, Route
from loopwright.errors import StepFailed
from loopwright.ledger import Ledger
from loopwright.loop.case import Case, Services
from loopwright.loop.change import Change
from loopwright.loop.performer import Performer, route_table
from loopwright.loop.pipeline import Outcome, advance
from loopwright.loop.steps import ApprovalStep, CallStep, JobStep, ReleaseStep, Step
from loopwright.loop.view import Book
from loopwright.spec import load_text
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
        return Job(id=job_id, workload="toy", step=self.name, command=("true",), directory=str(folder))

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
        return f"prod--toy--{self.revision(case)}"


STEPS: tuple[Step, ...] = (Toy(), Package(), Register(), Approve(), Prod())


class World:
    """What outlives the control plane: engine and registry. Crashes at the operation it is told to."""

    name = "model"

    def __init__(self, crash_at: int | None = None) -> None:
        self.jobs: dict[str, JobStatus] = {}
        self.sets: dict[str, ReplicaSet] = {}
        self.routes: tuple[Route, ...] = ()
        self.versions: dict[str, int] = {}
        self.alias = 0
        self.started: list[str] = []
        self._operations = itertools.count()
        self._crash_at = crash_at
        self.crashed = False

    def crash_here(self) -> None:
        if next(self._operations) == self._crash_at:
            self.crashed = True
            raise CrashError

    def submit(self, job: Job) -> None:
        self.crash_here()
        if job.id not in self.jobs:
            self.started.append(job.id)
            self.jobs[job.id] = JobStatus(id=job.id, state="succeeded", exit_code=0)
        self.crash_here()

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

    def endpoint(self, environment: str, workload: str) -> str:
        return f"http://gateway/{environment}/{workload}/score"

    def set_alias(self, name: str, alias: str, version: int) -> None:
        self.crash_here()
        self.alias = version

    def report(self) -> EngineReport:
        sets = {name: ReplicaSetStatus(name=name, wanted=2, ready=2) for name in self.sets}
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

    def __init__(self, home: Path, world: World) -> None:
        self.state, self.world = StateFolder(home), world
        self.spec = load_text(SPEC, "loopwright.yaml", None)
        self.now = 0.0
        self.be_born()

    def be_born(self) -> None:
        self.ledger = Ledger.open(self.state.ledger, self.state.ledger_key, self.state.ledger_head)
        self.book = CrashingBook(self.ledger)
        self.book.world = self.world
        store = Store(self.state.store)
        self.services = Services(self.state, store, self.world, self.world, self.book)  # type: ignore[arg-type]

    def request(self, spec: str, auto: bool = True) -> Change:
        number = self.book.view.numbers["toy"] + 1
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
            id=f"toy-{number}",
            workload="toy",
            spec=spec,
            auto_approve=auto,
            actor="ada",
            requested_at=0.0,
            **fields,
        )
        Book.append(self.book, "change.requested", "toy", change.id, change.body(), "ada", 0.0)
        return change

    def tick(self, change: Change) -> Outcome:
        self.now += 1
        case = Case(self.spec, change, self.book.view)
        routes = self.world.set_routes(route_table(self.book.view, self.state))
        outcome = advance(case, STEPS, self.world.report(), routes, self.now, lambda step, output: True)
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


@pytest.fixture(autouse=True)
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model engine needs no serving.json."""
    made = ReplicaSet(
        name="",
        workload="toy",
        environment="prod",
        revision="",
        settings="",
        minimum=2,
        maximum=2,
        target_utilization=0.7,
        scale_interval=1.0,
        concurrency=8,
    )

    def replica_set(case: Case, services: Services, environment: str) -> ReplicaSet:
        import msgspec

        return msgspec.structs.replace(made, name=STEPS[-1].replica_set(case))  # type: ignore[attr-defined]

    monkeypatch.setattr("loopwright.loop.performer.replica_set", replica_set)


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / str(number) for number in itertools.count())  # type: ignore[return-value]


def kinds(life: Life, kind: str) -> int:
    return sum(fact.kind == kind for fact in life.ledger.facts())


def test_a_crash_at_any_operation_changes_nothing_of_the_end(homes: Iterator[Path]) -> None:
    for crash_at in itertools.count():
        home = next(homes)
        home.mkdir()
        life = Life(home, World(crash_at))
        life.live(life.request("a"))
        assert (kinds(life, "release.completed"), kinds(life, "change.completed")) == (1, 1), crash_at
        assert life.world.started == list(dict.fromkeys(life.world.started))
        assert (life.world.versions, life.world.alias) == ({"a": 1}, 1), crash_at
        assert kinds(life, "step.succeeded") == 4, crash_at
        assert life.ledger.verify().ok
        life.ledger.close()
        if not life.world.crashed:
            break
    assert crash_at > 20  # so many moments were really met


def new_life(homes: Iterator[Path]) -> Life:
    home = next(homes)
    home.mkdir()
    return Life(home, World())


def test_a_change_that_is_asked_for_again_finds_all_done(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    life.live(life.request("a"))
    before = list(life.world.started)
    outcome = life.live(life.request("a"))
    assert [state.state for state in outcome.states] == ["cached"] * 5
    assert life.world.started == before


def test_going_back_to_an_older_version_releases_it_again_without_training(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    for spec in ("a", "b", "a"):
        life.live(life.request(spec))
    assert [fact.body["version"] for fact in life.book.view.releases["prod", "toy"]] == [1, 2, 1]
    assert len(life.world.started) == 4


def test_a_failed_step_stops_the_change_and_what_serves_stays(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    life.live(life.request("a"))
    outcome = life.live(life.request("broken"))
    assert [state.state for state in outcome.states] == ["failed", "stopped", "stopped", "stopped", "stopped"]
    assert life.world.routes[0].backends[0].replica_set == "prod--toy--a"
    life.live(life.request("b"))  # and the next change is not held up


def test_new_replicas_that_answer_wrongly_never_get_a_route(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    life.live(life.request("a"))
    outcome = life.live(life.request("bad-answer"))
    assert outcome.states[-1].state == "failed"
    assert "toy:1 goes on serving" in outcome.states[-1].message
    assert set(life.world.sets) == {"prod--toy--a"}
    assert life.world.routes[0].backends[0].replica_set == "prod--toy--a"


def test_without_auto_approval_nothing_is_released_until_a_person_decides(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    change = life.request("a", auto=False)
    for _ in range(20):
        outcome = life.tick(change)
    assert outcome.states[3].state == "approval"
    assert life.world.sets == {}
    life.book.append(
        "approval.decided",
        "toy",
        "toy-1-prod",
        {"decision": "reject", "comment": "no", "auto": False},
        "bob",
        0.0,
    )
    assert "bob rejected" in life.live(change).states[3].message


def test_a_lost_job_is_started_again_but_not_for_ever(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    change = life.request("a")
    for _ in range(30):
        life.world.jobs = {job: JobStatus(id=job, state="failed", reason="lost") for job in life.world.jobs}
        outcome = life.tick(change)
    assert outcome.failed
    assert len(life.world.started) == 4


def test_a_job_that_was_cancelled_is_made_again_when_it_is_wanted_again(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    change = life.request("a")
    life.tick(change)
    life.world.jobs = {job: JobStatus(id=job, state="failed", reason="cancelled") for job in life.world.jobs}
    assert life.live(change).finished
    assert len(life.world.started) == 3


def test_a_change_may_be_asked_to_be_approved_automatically_later(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    change = life.request("a", auto=False)
    for _ in range(20):
        life.tick(change)
    life.book.append("change.auto-approved", "toy", change.id, {"auto": True}, "bob", 0.0)
    assert life.live(change).finished
    assert life.book.view.decisions["toy-1-prod"].actor == "bob"


def test_a_job_that_someone_killed_is_started_again(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    change = life.request("a")
    life.tick(change)
    killed = {"state": "failed", "reason": "signal", "exit_code": -9}
    life.world.jobs = {job: JobStatus(id=job, **killed) for job in life.world.jobs}
    assert life.live(change).finished
    assert kinds(life, "job.lost") == 1
