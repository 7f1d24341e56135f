"""The facts by what they are about: changes, runs, steps, approvals and releases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from loopwright.ledger import Fact

Pair = tuple[str, str]

US = "loopwright"  # the actor of what the controllers do by themselves

KINDS = (
    *("change.requested", "run.created", "step.started", "step.succeeded", "step.failed", "job.lost"),
    *("job.cancelled", "approval.requested", "approval.decided", "release.completed", "route.withdrawn"),
    *("alias.moved", "state.stopped", "control.started", "job.failed", "approval.voided", "approval.expired"),
)


class Chronicle:
    """Grows with the ledger: `apply` takes each fact once, in order. Facts of other kinds pass by."""

    def __init__(self) -> None:
        self.workloads: dict[str, None] = {}  # in the order in which they came
        self.changes: dict[str, Fact] = {}  # change id -> change.requested
        self.runs: dict[str, Fact] = {}  # job id -> run.created
        self.starts: dict[str, Fact] = {}  # job id -> its first step.started
        self.ends: dict[str, Fact] = {}  # job id -> step.succeeded, job.lost or job.cancelled
        self.failures: dict[Pair, Fact] = {}  # (change, step) -> step.failed
        self.steps: dict[Pair, list[Fact]] = defaultdict(list)  # (workload, step) -> step.succeeded
        self.approved: set[Pair] = (
            set()
        )  # (workload, approval id) of the steps that succeeded; inputs in facts of 0.1
        self.voided: dict[str, Fact] = {}  # approval id -> approval.voided or approval.expired
        self.asked: dict[str, list[Fact]] = defaultdict(list)  # workload -> approval.requested
        self.asked_of: dict[Pair, list[Fact]] = defaultdict(list)  # (workload, package) -> approval.requested
        self.decided: dict[str, list[Fact]] = defaultdict(list)  # approval id -> approval.decided
        self.releases: dict[Pair, list[Fact]] = defaultdict(list)  # (environment, workload)
        self.withdrawn: dict[Pair, list[Fact]] = defaultdict(list)  # (environment, workload)
        self.aliases: dict[Pair, Fact] = {}  # (environment, workload) -> newest alias.moved
        self.lives: list[Fact] = []  # state.stopped and control.started
        self.newest = 0.0  # the greatest time of a fact

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Chronicle:
        """From facts, in order."""
        made = cls()
        for fact in facts:
            made.apply(fact)
        return made

    def copy(self) -> Chronicle:
        """As it is now, whatever this one takes in later; the facts themselves are shared."""
        other = Chronicle()
        for name, value in vars(self).items():
            setattr(other, name, _copied(value))
        return other

    def apply(self, fact: Fact) -> None:
        """Take in one fact."""
        self.newest = max(self.newest, fact.time)
        handler = getattr(self, "_" + fact.kind.replace(".", "_"), None)
        if handler is not None:
            handler(fact)

    def _change_requested(self, fact: Fact) -> None:
        self.workloads[fact.workload] = None
        self.changes[fact.key] = fact

    def _run_created(self, fact: Fact) -> None:
        self.runs[fact.key] = fact

    def _step_started(self, fact: Fact) -> None:
        if fact.body.get("job"):
            self.starts.setdefault(fact.body["job"], fact)

    def _step_succeeded(self, fact: Fact) -> None:
        step = fact.body["step"]
        self.steps[fact.workload, step].append(fact)
        if step == "approval" or step.startswith("approval-"):
            self.approved.add((fact.workload, fact.body.get("job") or fact.body["inputs"]))
        self._ended(fact)

    def _ended(self, fact: Fact) -> None:
        self.ends.setdefault(fact.key, fact)

    _job_lost = _ended
    _job_cancelled = _ended
    _job_failed = _ended

    def _step_failed(self, fact: Fact) -> None:
        self.failures[fact.body["change"], fact.body["step"]] = fact

    def _approval_requested(self, fact: Fact) -> None:
        self.asked[fact.workload].append(fact)
        self.asked_of[fact.workload, fact.body.get("package", "")].append(fact)

    def _approval_decided(self, fact: Fact) -> None:
        self.decided[fact.body.get("approval") or fact.key].append(fact)

    def _approval_voided(self, fact: Fact) -> None:
        self.voided[fact.key] = fact

    _approval_expired = _approval_voided

    def _release_completed(self, fact: Fact) -> None:
        self.releases[fact.body["environment"], fact.workload].append(fact)

    def _route_withdrawn(self, fact: Fact) -> None:
        pair = (fact.body["environment"], fact.workload)
        self.withdrawn[pair].append(fact)
        if fact.body.get("retired"):
            self.aliases.pop(pair, None)

    def _alias_moved(self, fact: Fact) -> None:
        self.aliases[fact.body["environment"], fact.workload] = fact

    def _life(self, fact: Fact) -> None:
        self.lives.append(fact)

    _state_stopped = _life
    _control_started = _life

    def environments(self, workload: str) -> list[str]:
        """Where a workload was ever released, or a release was asked for, in that order."""
        released = [
            (facts[0].sequence, pair[0]) for pair, facts in self.releases.items() if pair[1] == workload
        ]
        asked = [(fact.sequence, fact.body["environment"]) for fact in self.asked[workload]]
        return list(dict.fromkeys(name for _, name in sorted(released + asked)))

    def change(self, change: str) -> dict[str, Any]:
        """What a change asked for; empty where it is not known."""
        fact = self.changes.get(change)
        return fact.body if fact else {}

    def actor(self, change: str) -> str:
        """Who asked for a change."""
        fact = self.changes.get(change)
        return fact.actor if fact else ""


def _copied(value: Any) -> Any:
    if isinstance(value, defaultdict):
        return defaultdict(list, {key: part.copy() for key, part in value.items()})
    return value.copy() if isinstance(value, dict | list | set) else value
