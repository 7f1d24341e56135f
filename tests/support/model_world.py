"""A model of what outlives the control plane: an engine and a registry in memory, and a clock; for tests of the controllers.

Jobs end when `work` is called and leave what the real ones would leave; replicas are ready at once; routes are taken one
look after they were wanted. `crash_in` counts operations down to the one at which the control plane dies: every call of the engine and of the
registry, and both sides of every append to the ledger.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from loopwright.catalog import Store
from loopwright.engines.base import EngineReport, Job, JobStatus, ReplicaSet, ReplicaSetStatus, Route
from loopwright.engines.local.desired import routes_digest
from loopwright.ledger import Fact, Ledger
from loopwright.loop.book import Book
from loopwright.loop.case import Services
from loopwright.loop.driver import Driver
from loopwright.secrets.providers import Secrets
from loopwright.state import StateFolder
from loopwright.training import environment_folder

LOCK = "# nothing\n"
ENVIRONMENT = hashlib.sha256(LOCK.encode()).hexdigest()


class CrashError(BaseException):
    """The control plane's process ends here; nothing of it may catch this."""


class World:
    """Engine, registry and clock."""

    name = "local"

    def __init__(self, state: StateFolder) -> None:
        self.state = state
        self.now = time.time()
        self.jobs: dict[str, JobStatus] = {}
        self.wanted: dict[str, Job] = {}
        self.sets: dict[str, ReplicaSet] = {}
        self.routes: tuple[Route, ...] = ()  # what the gateway serves: what is wanted, one look later
        self.wanted_routes: tuple[Route, ...] = ()
        self.versions: dict[str, int] = {}  # package digest -> version
        self.aliases: dict[str, int] = {}
        self.crash_in = -1

    def operation(self) -> None:
        """One more moment at which the control plane may die."""
        self.crash_in -= 1
        if self.crash_in == 0:
            raise CrashError

    # The engine

    def submit(self, job: Job) -> None:
        self.operation()
        if job.id not in self.jobs:
            self.wanted[job.id] = job
            self.jobs[job.id] = JobStatus(id=job.id, state="running")
        self.operation()

    def cancel(self, job_id: str) -> None:
        self.operation()
        if self.jobs[job_id].state == "running":
            self.end(job_id, "cancelled")

    def forget(self, job_id: str) -> None:
        self.operation()
        assert self.jobs.pop(job_id).state in ("succeeded", "failed")

    def set_replicas(self, replica_set: ReplicaSet) -> None:
        self.operation()
        assert Path(replica_set.settings).exists()
        self.sets[replica_set.name] = replica_set
        self.operation()

    def remove_replicas(self, name: str) -> None:
        self.operation()
        serving = {backend.replica_set for route in self.routes for backend in route.backends}
        assert name not in serving, f"{name} is removed while the gateway sends it requests"
        self.sets.pop(name, None)

    def probe(self, name: str, body: bytes, timeout: float) -> list[tuple[int, bytes]]:
        self.operation()
        return [(200, b"{}")] * 2

    def set_routes(self, routes: tuple[Route, ...]) -> str:
        self.operation()
        self.wanted_routes = routes
        return routes_digest(routes)

    def report(self) -> EngineReport:
        self.operation()
        sets = {
            name: ReplicaSetStatus(name=name, wanted=one.minimum, ready=one.minimum)
            for name, one in self.sets.items()
        }
        accepted = routes_digest(self.routes)
        self.routes = self.wanted_routes
        return EngineReport(jobs=dict(self.jobs), replica_sets=sets, routes_accepted=accepted)

    def endpoint(self, environment: str, workload: str) -> str:
        return f"http://gateway/{environment}/{workload}/score"

    def ring(self) -> None:
        pass

    def job_log(self, job_id: str) -> Path:
        return self.state.jobs / job_id / "log.txt"

    # The registry, and what else is kept of runs

    url = "http://tracking"

    def ensure_version(self, name: str, package: str, *more: Any) -> int:
        self.operation()
        version = self.versions.setdefault(package, len(self.versions) + 1)
        self.operation()
        return version

    def set_alias(self, name: str, alias: str, version: int) -> None:
        self.operation()
        self.aliases[alias] = int(version)
        self.operation()

    def get_run(self, run: str) -> SimpleNamespace:
        return SimpleNamespace(id=run, params={}, metrics={})

    def __getattr__(self, name: str) -> Callable[..., str]:
        """Runs, metrics and artifacts: kept by nobody here."""
        if name.startswith(("ensure_", "log_", "end_")):
            return lambda *words, **more: "1"
        raise AttributeError(name)

    # What happens out there

    def work(self) -> None:
        """Every job that runs comes to its end."""
        for job_id, status in list(self.jobs.items()):
            if status.state == "running":
                _leave_output(self, self.wanted[job_id])
                self.jobs[job_id] = JobStatus(id=job_id, state="succeeded", exit_code=0)

    def end(self, job_id: str, reason: str, exit_code: int | None = None) -> None:
        """A job fails."""
        self.jobs[job_id] = JobStatus(id=job_id, state="failed", reason=reason, exit_code=exit_code)


def _leave_output(world: World, job: Job) -> None:
    """What the real job of this step leaves in its folder."""
    folder = Path(job.directory)
    outputs = folder / "outputs"
    outputs.mkdir(exist_ok=True)
    (folder / "log.txt").write_text("worked\n")
    output: dict[str, Any] = {}
    if job.step == "data":
        output = {"version": "v", "rows": 2, "train_rows": 1, "test_rows": 1, "train": "train.csv"}
        output |= {"test": "test.csv", "columns": [], "label": {"name": "y"}, "task": "classification"}
        output |= {"example": {}, "warnings": [], "missing_values": []}
        (outputs / "train.csv").write_text("x,y\n1,1\n")
    elif job.step == "environment":
        made = environment_folder(world.state.environments, ENVIRONMENT)
        (made / "bin").mkdir(parents=True, exist_ok=True)
        (made / "complete").touch()
        output = {"lock": LOCK, "digest": ENVIRONMENT, "python_version": "3.11"}
        output["packages"] = 0
    elif job.step == "train":
        (outputs / "model.json").write_bytes((folder / "workspace" / "train.py").read_bytes())
    elif job.step == "package":
        given = json.loads((folder / "input.json").read_bytes())
        model = (Path(given["model"]) / "model.json").read_bytes()
        (outputs / "package").mkdir(exist_ok=True)
        (outputs / "package" / "model.json").write_bytes(model)
        example = {"request": {}, "response": {}}
        output = {"digest": f"sha256:{hashlib.sha256(model).hexdigest()}", "size": 1, "example": example}
    elif job.step == "evaluate":
        output = {"metrics": {"accuracy": 0.9}, "gates": [], "rows": 1, "passed": True}
    (folder / "output.json").write_text(json.dumps(output))


class _Inline:
    """Performs an action at once, so that each moment of a crash can be met again."""

    def submit(self, function: Callable[..., None], *words: Any) -> Future[None]:
        function(*words)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def shutdown(self, **how: Any) -> None:
        pass


class CrashingBook(Book):
    """Dies before and after each append, when the world says so."""

    world: World | None = None

    def append(self, *words: Any) -> Fact:
        return self._around(super().append, words)

    def append_once(self, *words: Any) -> Fact:
        return self._around(super().append_once, words)

    def _around(self, append: Callable[..., Fact], words: tuple[Any, ...]) -> Fact:
        if self.world is None:
            return append(*words)
        self.world.operation()
        fact = append(*words)
        self.world.operation()
        return fact


class Life:
    """A control plane in this world: real ledger, view, store, driver and steps; born again after each crash."""

    def __init__(self, home: Path) -> None:
        self.state = StateFolder(home)
        self.state.create()
        self.world = World(self.state)
        self.be_born()

    def be_born(self) -> None:
        """Open the state as a new process would."""
        self.ledger = Ledger.open(self.state.ledger, self.state.ledger_key, self.state.ledger_head)
        self.ledger.take_over("loopwright", self.world.now)
        self.book = CrashingBook(self.ledger)
        self.book.world = self.world
        self.store = Store(self.state.store)
        services = Services(self.state, self.store, self.world, self.world, self.book)  # type: ignore[arg-type]
        self.driver = Driver(services, lambda: self.world.now)
        self.driver.hands._pool = _Inline()  # type: ignore[assignment]

    @property
    def control(self) -> Any:
        """What operations are given."""
        return SimpleNamespace(
            state=self.state, store=self.store, book=self.book, ledger=self.ledger, driver=self.driver,
            engine=self.world, tracking=self.world, secrets=Secrets(self.state),
        )  # fmt: skip

    def tick(self) -> None:
        """One look of the loop, a second later; a crash in it ends this life and begins the next."""
        self.world.now += 1
        self.survive(self.driver.tick)

    def survive(self, act: Callable[[], Any]) -> None:
        """Do it; where the control plane dies in it, bring up the next one."""
        try:
            act()
        except CrashError:
            self.world.crash_in = -1
            self.ledger.close()
            self.be_born()

    def settle(self, most: int = 120) -> None:
        """Let all jobs end and the loop look until nothing more happens."""
        quiet, before = 0, (-1, "")
        for _ in range(most):
            self.world.work()
            self.tick()
            last = self.book.view.last
            now = (
                last.sequence if last else 0,
                repr((self.world.jobs, sorted(self.world.sets), self.world.routes)),
            )
            quiet = quiet + 1 if now == before else 0
            before = now
            if quiet == 3:
                return
        raise AssertionError(f"not settled after {most} looks: {self.book.view.last}")
