"""A ledger as the loop leaves it after days of work: facts with a clock of their own, written without running anything.

    story = Story("titanic")
    story.release(commit="c1" * 20)                  # a change through every step into dev and prod
    story.release(rows=1400, approve=("bob", "seen"))
    story.write(state)

`old=True` writes facts as release 0.1 did.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

from loopwright.catalog import Store
from loopwright.ledger import Ledger
from loopwright.ledger.facts import Draft, Entry
from loopwright.ledger.head import SignedHead, load_key
from loopwright.ledger.verification import Head
from loopwright.loop.change import digest
from loopwright.state import StateFolder

START = 1_767_225_600.0  # 2026-01-01 00:00 UTC
HOUR, DAY = 3600.0, 86400.0
SPEC = """
apiVersion: loopwright/v1
workload: {workload}
owner: ada@example.com
data: {{passengers: {{source: data/passengers.csv, label: survived, owner: archive@example.com, fresh_within: 365d}}}}
training: {{command: "python train.py --trees 100 --data {{data.passengers.train}} --model {{outputs}}/m", dependencies: {{requirements: r.txt}}}}
serving: {{entry: score.py}}
environments: {{dev: {{}}, prod: {{approval: required}}}}
"""
COLUMNS = [
    {"name": "gender", "type": "string", "nullable": False, "categories": ["female", "male"]},
    {"name": "age", "type": "number", "nullable": True, "categories": None},
]


def sha(*parts: object) -> str:
    """A digest of anything."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass
class Story:
    """One workload's facts, in order."""

    workload: str = "titanic"
    old: bool = False
    now: float = START
    facts: list[Draft] = field(default_factory=list)
    number: int = 0  # of changes
    version: int = 0
    checked: set[int] = field(default_factory=set)  # rows of the data versions that the step data has seen
    served: dict[str, int] = field(default_factory=dict)  # environment -> version
    packages: dict[int, dict[str, Any]] = field(default_factory=dict)  # version -> output of the package step

    def tell(self, kind: str, key: str, body: dict[str, Any], actor: str = "loopwright", **more: str) -> None:
        """One fact, a second after the one before."""
        self.now += 1.0
        self.facts.append(Draft.of(kind, more.get("workload", self.workload), key, body, actor, self.now))

    def request(
        self, rows: int = 1317, commit: str | None = "a" * 40, actor: str = "ann", **more: Any
    ) -> str:
        """A change is asked for; returns its id."""
        self.number += 1
        change = f"{self.workload}-{self.number}"
        content = sha("data", rows)
        source = {
            "path": "data/passengers.csv",
            "content": content,
            "modified_at": START - DAY,
            "stale": False,
        }
        spec = SPEC.format(workload=self.workload)
        body = {
            "folder": "/work/titanic",
            "spec": hashlib.sha256(spec.encode()).hexdigest(),
            "commit": commit,
            "dirty": more.get("dirty", False),
            "diff": sha("diff", self.number) if more.get("dirty") else None,
            "author": more.get("author", "Ann <ann@example.com>"),
            "auto_approve": more.get("auto", False),
            "files": {"loopwright.yaml": sha("spec"), "score.py": sha("score", self.number)},
            "sources": {"passengers": source},
            "identity": sha("identity", self.number),
        }
        self.tell("change.requested", change, body, actor)
        return change

    def job(
        self, change: str, step: str, inputs: str, output: dict[str, Any], seconds: float = 4.0, **more: Any
    ) -> None:
        """A job starts and succeeds."""
        job = self._started(change, step, inputs, **more)
        self.now += seconds
        body = {"change": change, "step": step, "inputs": inputs, "output": output, "job": job}
        self.tell("step.succeeded", job, body)

    def call(self, change: str, step: str, inputs: str, output: dict[str, Any], job: str = "") -> None:
        """A step without a job succeeds; the `job` of an approval is its id."""
        body = {"change": change, "step": step, "inputs": inputs, "output": output, "job": job}
        self.tell("step.started", f"{change}/{step}/", {"change": change, "step": step, "inputs": inputs})
        self.tell("step.succeeded", job or f"{self.workload}.{step}.{inputs[:32]}", body)

    def fail(self, change: str, step: str, message: str) -> None:
        """A step comes to a definite no."""
        inputs = sha(step, change)
        self._started(change, step, inputs)
        body = {"change": change, "step": step, "inputs": inputs, "code": "step", "message": message}
        self.tell("step.failed", f"{change}/{step}", body)

    def _started(self, change: str, step: str, inputs: str, **known: Any) -> str:
        job = f"{self.workload}.{step}.{inputs[:12]}.0"
        if step == "train":
            created = {"run": sha("run", change)[:32]}
            self.tell("run.created", job, created if self.old else created | {"change": change} | known)
        body = {"change": change, "step": step, "inputs": inputs, "job": job}
        self.tell("step.started", f"{change}/{step}/{job}", body)
        return job

    def data(self, change: str, rows: int) -> dict[str, Any]:
        """The step data."""
        output = {
            "version": sha("data", rows),
            "tree": sha("tree", rows),
            "rows": rows,
            "train_rows": rows * 3 // 4,
            "test_rows": rows - rows * 3 // 4,
            "train": "train.csv",
            "test": "test.csv",
            "columns": COLUMNS,
            "missing_values": {},
            "label": {"name": "survived", "type": "integer", "balance": {"0": 0.62, "1": 0.38}},
            "task": "classification",
            "example": {"gender": "male", "age": 42.0},
            "warnings": [],
        }
        named = {} if self.old else {"name": "passengers"}
        if rows not in self.checked:  # else the loop finds it done
            self.job(change, "data", sha("data", change), output | named)
        self.checked.add(rows)
        return output

    def register(self, rows: int = 1317, accuracy: float = 0.83, **more: Any) -> str:
        """A change as far as a registered version; returns the change."""
        change = self.request(rows, **more)
        data, lock, run = self.data(change, rows), sha("lock"), sha("run", change)[:32]
        commit = more.get("commit", "a" * 40)
        output: dict[str, Any] = {
            "model": sha("model", change),
            "run": run,
            "commit": commit,
            "author": "Ann <ann@example.com>",
        }
        new = {"parameters": {"trees": str(more.get("trees", 100))}, "metrics": {"loss": 1.0 - accuracy}}
        known = {"data_version": data["version"], "lock": lock, "parameters": new["parameters"]}
        self.job(change, "train", sha("train", change), output if self.old else output | new, 30.0, **known)
        package = {
            "digest": f"sha256:{sha('package', change)}",
            "size": 159_000,
            "tree": sha("package tree", change),
            "entry": "score.py",
            "environment": lock,
            "data": data["tree"],
            "train": "train.csv",
            "columns": COLUMNS,
            "data_version": data["version"],
            "run": run,
            "commit": commit,
            "prediction": "prediction",
            "probability": "probability",
            "example": {"request": {"gender": "male", "age": 42.0}, "response": {"prediction": 0}},
        }
        self.job(change, "package", sha("package inputs", change), package)
        gate = {"gate": "accuracy >= 0.75", "passed": True, "reason": f"accuracy {accuracy} >= 0.75"}
        judged = {
            "metrics": {"accuracy": accuracy, "f1": 0.74},
            "gates": [gate],
            "rows": data["test_rows"],
            "champion": None,
            "passed": True,
        }
        named = {} if self.old else {"package": package["digest"]}
        self.job(change, "evaluate", sha("evaluate", change), judged | named)
        self.version += 1
        self.packages[self.version] = package
        self.call(
            change,
            "register",
            digest({"package": package["digest"]}),
            {"version": self.version, "model": self.workload} | named,
        )
        return change

    def ask(self, change: str, environment: str = "prod", count: int = 1) -> str:
        """A person is asked."""
        body = {
            "change": change,
            "environment": environment,
            "inputs": sha("approval", change, environment),
            "package": self.packages[self.version]["digest"],
            "version": self.version,
            "count": count,
        }
        self.tell("approval.requested", f"{change}-{environment}", body)
        return f"{change}-{environment}"

    def decide(
        self,
        change: str,
        by: str,
        comment: str = "",
        yes: bool = True,
        auto: bool = False,
        environment: str = "prod",
        last: bool = True,
    ) -> None:
        """And answers; the last of those who are asked settles it."""
        body = {"decision": "approve" if yes else "reject", "comment": comment, "auto": auto}
        self.tell("approval.decided", f"{change}-{environment}", body, by)
        if yes and last:
            output = {"actor": by, "comment": comment, "auto": auto}
            approval = "" if self.old else f"{change}-{environment}"
            self.call(change, "approval", sha("approval", change, environment), output, job=approval)

    def deploy(
        self,
        change: str,
        environment: str,
        version: int | None = None,
        actor: str = "loopwright",
        **more: Any,
    ) -> None:
        """A revision serves in an environment from now on."""
        number = self.version if version is None else version
        inputs = sha("deploy", change, environment, number)
        replica_set = f"{environment}--{self.workload}--{inputs[:12]}"
        route = {"environment": environment, "inputs": inputs, "replica_set": replica_set, "auth": "key", "timeout": 8.0, "idempotent": True, "capacity": 288}  # fmt: skip
        body = {
            "change": change,
            "environment": environment,
            "inputs": inputs,
            "revision": sha("revision", number, environment),
            "replica_set": replica_set,
            "version": number,
            "package": self.packages[number],
            "route": route,
            "previous": self.served.get(environment),
            "url": f"http://127.0.0.1:8086/{environment}/{self.workload}/score",
        }
        self.tell("route.wanted", f"{self.workload}@{environment}", route)
        self.tell(
            "release.completed",
            f"{change}/{environment}/{inputs[:12]}",
            body | more,
            actor,
        )
        alias = {"environment": environment, "version": number}
        self.tell("alias.moved", f"{self.workload}@{environment}", alias)
        self.served[environment] = number

    def release(self, approve: tuple[str, str] = ("bob", ""), **more: Any) -> str:
        """A change through every step into dev and prod; returns it."""
        change = self.register(**more)
        self.deploy(change, "dev")
        self.ask(change)
        self.decide(change, *approve, auto=bool(more.get("auto")))
        self.deploy(change, "prod")
        self.tell("change.completed", change, {})
        return change

    def life(self, kind: str, actor: str = "loopwright") -> None:
        """`control.started` or `state.stopped`."""
        self.tell(kind, "1" if kind == "control.started" else "", {}, actor, workload="")

    def write(self, state: StateFolder) -> StateFolder:
        """Into a new ledger, appended one after the other; the spec into the store."""
        state.create()
        Store(state.store).put_bytes(SPEC.format(workload=self.workload).encode())
        with closing(Ledger.open(state.ledger, state.ledger_key, state.ledger_head)) as ledger:
            for fact in self.facts:
                ledger._write(fact, once=False)
        return state


def write_many(state: StateFolder, facts: Iterator[Draft]) -> int:
    """Write a long ledger in one transaction, as it would be after as many appends; returns how many facts."""
    state.create()
    Ledger.open(state.ledger, state.ledger_key, state.ledger_head).close()
    head = SignedHead(state.ledger_head, load_key(state.ledger_key, may_create=False))
    last: Entry | None = None
    with closing(sqlite3.connect(state.ledger, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for fact in facts:
            last = fact.entry(last, 0, head.key)
            connection.execute(f"INSERT INTO facts VALUES ({', '.join('?' * 11)})", astuple(last))  # noqa: S608
        connection.execute("COMMIT")
    if last is not None:
        head.write(Head(last.sequence, last.hash))
    return last.sequence if last else 0


def in_folder(folder: Path, *stories: Story) -> StateFolder:
    """A state folder with the ledger of these stories, one after the other."""
    state = StateFolder(folder)
    whole = Story()
    whole.facts = sorted((fact for story in stories for fact in story.facts), key=lambda fact: fact.time)
    whole.write(state)
    for story in stories:
        Store(state.store).put_bytes(SPEC.format(workload=story.workload).encode())
    return state
