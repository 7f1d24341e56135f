"""The pipeline's controller: where every step of a change stands, and what to do next. Pure.

(spec, facts, what the engine reports, now) -> states and actions. Called at every tick with everything it needs; the
driver performs the actions and appends their outcomes as facts, which the next call sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from loopwright.engines.base import EngineReport, JobStatus, ReplicaSetStatus
from loopwright.errors import Place, read_places
from loopwright.ledger import Fact
from loopwright.loop.case import Case, Output
from loopwright.loop.change import digest
from loopwright.loop.steps import ApprovalStep, CallStep, JobStep, ReleaseStep, Step
from loopwright.release import Failure, Move, Standing, next_move

State = Literal["waiting", "running", "approval", "done", "cached", "failed", "stopped"]

MOST_LOST = 3  # times that a job lost through no fault of its own is started again


@dataclass(frozen=True)
class StepState:
    """One row of what people see."""

    step: str
    state: State
    message: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    approval: str = ""  # what `loopwright approve` is given, where a person is waited for
    places: tuple[Place, ...] = ()  # where the reason of a failure can be changed


@dataclass(frozen=True)
class Start:
    """Submit a job."""

    step: JobStep
    inputs: str
    job: str


@dataclass(frozen=True)
class Finish:
    """Take in a job's end."""

    step: JobStep
    inputs: str
    job: str
    status: JobStatus


@dataclass(frozen=True)
class Call:
    """Perform a step of calls."""

    step: CallStep
    inputs: str


@dataclass(frozen=True)
class Ask:
    """Ask a person."""

    step: ApprovalStep
    inputs: str


@dataclass(frozen=True)
class Settle:
    """Turn a person's decision into the step's result."""

    step: ApprovalStep
    inputs: str
    decision: Fact


@dataclass(frozen=True)
class Release:
    """Make one move of a release, or end it as failed."""

    step: ReleaseStep
    inputs: str
    move: Move | Failure


@dataclass(frozen=True)
class Complete:
    """Record that the change is in production."""


Action = Start | Finish | Call | Ask | Settle | Release | Complete


@dataclass(frozen=True)
class Outcome:
    """What `advance` says."""

    states: tuple[StepState, ...]
    actions: tuple[Action, ...]
    jobs: frozenset[str]  # ids of the jobs that this change wants
    replica_sets: frozenset[str]  # names of the replica sets that it wants

    @property
    def failed(self) -> bool:
        return any(state.state == "failed" for state in self.states)

    @property
    def finished(self) -> bool:
        return all(state.state in ("done", "cached") for state in self.states)


@dataclass
class _Walk:
    """What one pass over the steps gathers."""

    case: Case
    report: EngineReport
    routes: str
    now: float
    states: list[StepState] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    jobs: set[str] = field(default_factory=set)
    replica_sets: set[str] = field(default_factory=set)
    serving: set[str] = field(default_factory=set)  # environments whose release serves at this moment

    def failure(self, step: Step) -> Fact | None:
        return self.case.view.failures.get((self.case.change.id, step.name))

    def started_at(self, step: Step) -> float | None:
        fact = self.case.view.starts.get((self.case.change.id, step.name))
        return fact.time if fact else None

    def show(
        self, step: Step, state: State, message: str = "", ended: float | None = None, approval: str = ""
    ) -> None:
        self.states.append(StepState(step.name, state, message, self.started_at(step), ended, approval))


def advance(
    case: Case,
    steps: tuple[Step, ...],
    report: EngineReport,
    routes: str,
    now: float,
    available: Callable[[Step, Output], bool],
) -> Outcome:
    """Say how the change stands and what to do; fills `case.outputs`.

    `routes` is the digest of the route table that the facts want; `available` tells whether an earlier result's files
    are still there.
    """
    walk = _Walk(case, report, routes, now)
    broken = any((case.change.id, step.name) in case.view.failures for step in steps)
    for step in steps:
        _step(walk, step, broken, available)
    outcome = Outcome(
        tuple(walk.states), tuple(walk.actions), frozenset(walk.jobs), frozenset(walk.replica_sets)
    )
    if outcome.finished and case.change.id not in case.view.ended:
        outcome = Outcome(outcome.states, (Complete(),), outcome.jobs, outcome.replica_sets)
    return outcome


def _step(walk: _Walk, step: Step, broken: bool, available: Callable[[Step, Output], bool]) -> None:
    failure = walk.failure(step)
    if failure is not None:
        walk.show(step, "failed", failure.body["message"], failure.time)
        walk.states[-1] = replace(walk.states[-1], places=read_places(failure.body))
        return
    if any(need not in walk.case.outputs for need in step.needs):
        walk.show(step, "stopped" if broken else "waiting")
        return
    inputs = digest(step.inputs(walk.case))
    if isinstance(step, ReleaseStep):
        _release(walk, step, inputs, broken)
        return
    success = walk.case.view.successes.get((walk.case.change.workload, step.name, inputs))
    if success is not None and available(step, success.body["output"]):
        output = success.body["output"]
        walk.case.outputs[step.name] = output
        own = success.body["change"] == walk.case.change.id
        walk.show(step, "done" if own else "cached", step.summary(output), success.time if own else None)
    elif broken:
        walk.show(step, "stopped")
    elif isinstance(step, JobStep):
        _job(walk, step, inputs)
    elif isinstance(step, CallStep):
        walk.show(step, "running")
        walk.actions.append(Call(step, inputs))
    elif isinstance(step, ApprovalStep):
        _approval(walk, step, inputs)


def _job(walk: _Walk, step: JobStep, inputs: str) -> None:
    key = (walk.case.change.workload, step.name, inputs)
    attempt = walk.case.view.attempts[key]
    job = f"{walk.case.change.workload}.{step.name}.{inputs[:12]}.{attempt}"
    walk.jobs.add(job)
    status = walk.report.jobs.get(job)
    if status is None and step.asks is not None and step.asks not in walk.serving:
        walk.show(step, "waiting", f"waiting for {step.asks} to serve")
    elif status is None:
        walk.show(step, "running", "starting")
        walk.actions.append(Start(step, inputs, job))
    elif status.state in ("pending", "running"):
        again = f"started again, attempt {attempt + 1}" if walk.case.view.lost[key] else ""
        walk.show(step, "running", again)
    else:
        walk.show(step, "running", "taking in the result")
        walk.actions.append(Finish(step, inputs, job, status))


def _approval(walk: _Walk, step: ApprovalStep, inputs: str) -> None:
    approval = step.approval_id(walk.case)
    decision = walk.case.view.decisions.get(approval)
    automatic = decision is None and walk.case.view.automatic(walk.case.change) != ""
    if approval not in walk.case.view.approvals or automatic:
        walk.show(step, "approval", "asking", approval=approval)
        walk.actions.append(Ask(step, inputs))
    elif decision is None:
        walk.show(step, "approval", f"waiting for: loopwright approve {approval}", approval=approval)
    else:
        walk.show(step, "running")
        walk.actions.append(Settle(step, inputs, decision))


def _release(walk: _Walk, step: ReleaseStep, inputs: str, broken: bool) -> None:
    case, name = walk.case, step.replica_set(walk.case)
    current = case.view.current(step.environment, case.change.workload)
    completed = current is not None and current.body["inputs"] == inputs
    if broken and not completed:
        walk.show(step, "stopped")
        return
    walk.replica_sets.add(name)
    move = next_move(_standing(walk, step, inputs, completed))
    if completed and current is not None:
        # What follows a release stands on its record: a replica that is replaced meanwhile must not undo an approval.
        case.outputs[step.name] = current.body
    if move is Move.DONE and current is not None:
        walk.serving.add(step.environment)
        own = current.body["change"] == case.change.id
        walk.show(
            step, "done" if own else "cached", step.summary(current.body), current.time if own else None
        )
        return
    status = walk.report.replica_sets.get(name)
    troubled = f": {status.failing}" if status and status.failing and completed else ""
    walk.show(step, "running", move.reason if isinstance(move, Failure) else move.value + troubled)
    walk.actions.append(Release(step, inputs, move))


def _standing(walk: _Walk, step: ReleaseStep, inputs: str, completed: bool) -> Standing:
    case, name = walk.case, step.replica_set(walk.case)
    status = walk.report.replica_sets.get(name)
    route = case.view.routes.get((step.environment, case.change.workload))
    wanted = route is not None and route.body["inputs"] == inputs
    # Time in which no control plane lived was no time to become ready in.
    began = max(walk.started_at(step) or walk.now, case.view.awake_since)
    accepted = walk.report.routes_accepted
    replicas = status or ReplicaSetStatus(name=name, wanted=0, ready=0)
    return Standing(
        started=status is not None and (completed or walk.started_at(step) is not None),
        minimum=case.spec.serving_in(step.environment).replicas.min,
        ready=replicas.ready,
        failing=replicas.failing,
        setting=replicas.setting,
        checked=completed
        or case.view.mark("release.checked", f"{case.change.id}/{step.name}/{inputs[:12]}") is not None,
        route_wanted=wanted,
        # Once taken, a route stays while the table changes around it; none is taken while the gateways start.
        route_accepted=wanted and (accepted == walk.routes or (completed and bool(accepted))),
        route_rejected=walk.report.routes_rejected if wanted else "",
        completed=completed,
        aliased=completed and _aliased(case, step),
        waited=walk.now - began,
        patience=180.0,
    )


def _aliased(case: Case, step: ReleaseStep) -> bool:
    current = case.view.current(step.environment, case.change.workload)
    alias = case.view.mark("alias.moved", f"{case.change.workload}@{step.environment}")
    return current is not None and alias is not None and alias.body["version"] == current.body["version"]
