"""The pipeline's controller: where every step of a change stands, and what to do next. Pure.

(spec, facts, what the engine reports, now) -> states and actions. Called at every tick with everything it needs; the
driver performs the actions and appends their outcomes as facts, which the next call sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from loopwright.engines.base import EngineReport, ReplicaSetStatus
from loopwright.errors import Place, read_places
from loopwright.ledger import Fact
from loopwright.loop.actions import Action, Ask, Call, End, Enter, Finish, Leave, Release, Settle, Start
from loopwright.loop.asking import next_name, standing, told, unclean
from loopwright.loop.case import Case, Output
from loopwright.loop.change import digest
from loopwright.loop.steps import ApprovalStep, CallStep, Entering, JobStep, ReleaseStep, Step
from loopwright.loop.view import Ending
from loopwright.release import Failure, Move, Standing, Void, Waiting, next_move

State = Literal["waiting", "running", "approval", "done", "cached", "failed", "stopped", "held", "manual"]

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
    job: str = ""  # the job that it runs, or ran last for this change
    clean_up: bool = False  # whether it runs at the change's end, and decides nothing
    own: bool = False  # whether it is a task of the workload's


@dataclass(frozen=True)
class Outcome:
    """What `advance` says."""

    states: tuple[StepState, ...]
    actions: tuple[Action, ...]
    jobs: frozenset[str]  # ids of the jobs that this change wants
    replica_sets: frozenset[str]  # names of the replica sets that it wants
    state: Ending  # all but `running` only once its clean-up is over, too
    wake_at: float | None = None  # when to look again at the latest, in seconds since the epoch

    @property
    def failed(self) -> bool:
        return self.state == "failed"

    @property
    def finished(self) -> bool:
        return all(state.state in ("done", "cached") for state in self.states if not state.clean_up)


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
    tasks: set[str] = field(default_factory=set)  # jobs of the workload's own tasks that run now
    wake_at: float | None = None

    def failure(self, step: Step) -> Fact | None:
        return self.case.view.failures.get((self.case.change.id, step.name))

    def started_at(self, step: Step) -> float | None:
        fact = self.case.view.starts.get((self.case.change.id, step.name))
        return fact.time if fact else None

    def show(
        self, step: Step, state: State, message: str = "", ended: float | None = None, approval: str = ""
    ) -> None:
        started = self.case.view.starts.get((self.case.change.id, step.name))
        job = str(started.body.get("job", "")) if started else ""
        self.states.append(
            StepState(
                step.name,
                state,
                message,
                self.started_at(step),
                ended,
                approval,
                (),
                job,
                step.always,
                step.own,
            )
        )


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
    walk.tasks |= _running_tasks(case, steps, report)
    failed = {step.name for step in steps if walk.failure(step) and not step.always}
    stopped = _behind(steps, failed)
    # Without its tasks a change may yet come to production; without a step of the loop it never will.
    broken = case.view.halted(case.change.id) or any(
        step.name in failed | stopped for step in steps if not step.own
    )
    for step in steps:
        if step.always:
            _clean_up(walk, step, available)
        else:
            _step(walk, step, broken or step.name in stopped, available)
    _leave_queues(walk, steps, broken or any(state.state == "held" for state in walk.states))
    _end(walk, broken)
    return Outcome(
        tuple(walk.states),
        tuple(walk.actions),
        frozenset(walk.jobs),
        frozenset(walk.replica_sets),
        _state(walk),
        walk.wake_at,
    )


def _running_tasks(case: Case, steps: tuple[Step, ...], report: EngineReport) -> set[str]:
    mine = tuple(f"{case.change.workload}.{step.name}." for step in steps if step.own)
    return {
        job
        for job, status in report.jobs.items()
        if status.state in ("pending", "running") and job.startswith(mine)
    }


def _behind(steps: tuple[Step, ...], failed: set[str]) -> set[str]:
    """The steps that wait for one that failed, at any remove."""
    stopped: set[str] = set()
    for step in steps:
        if not failed.isdisjoint(step.needs) or not stopped.isdisjoint(step.needs):
            stopped.add(step.name)
    return stopped


def _clean_up(walk: _Walk, step: Step, available: Callable[[Step, Output], bool]) -> None:
    """A task that runs once the change is over, however it ended; whatever becomes of it changes nothing."""
    view, change = walk.case.view, walk.case.change
    failure = view.clean_up_failures.get((change.id, step.name))
    over = {state.step for state in walk.states if state.state in ("done", "failed")}
    if failure is not None:
        walk.show(step, "failed", failure.body["message"], failure.time)
        walk.states[-1] = replace(walk.states[-1], places=read_places(failure.body))
        return
    if view.outcome(change.id) == "running" or not over.issuperset(step.needs):
        walk.show(step, "waiting", "runs at the end")
        return
    inputs = digest(step.inputs(walk.case))
    success = view.successes.get((change.workload, step.name, inputs))
    if success is not None and available(step, success.body["output"]):
        walk.show(step, "done", step.summary(success.body["output"]), success.time)
    elif isinstance(step, JobStep):
        _job(walk, step, inputs)


def _leave_queues(walk: _Walk, steps: tuple[Step, ...], over: bool) -> None:
    """A change that goes no further holds up no other's release."""
    if not over:
        return
    for queue in walk.case.view.queues.values():
        for (change, name), asked in queue.items():
            step = next((step for step in steps if step.name == name), None)
            if change == walk.case.change.id and isinstance(step, ReleaseStep):
                walk.actions.append(Leave(step, asked.body["inputs"]))


def _end(walk: _Walk, broken: bool) -> None:
    view, change = walk.case.view, walk.case.change
    states = {state.state for state in walk.states if not state.clean_up}
    cleaning = {state.state for state in walk.states if state.clean_up}
    if view.outcome(change.id) != "running":
        if change.id in view.unclean and cleaning <= {"done", "failed"}:
            walk.actions.append(End("change.cleaned"))
    elif states <= {"done", "cached"}:
        walk.actions.append(End("change.completed"))
    elif "failed" in states and (broken or states <= {"done", "cached", "failed", "stopped"}):
        walk.actions.append(End("change.failed"))


def _waits_by_hand(walk: _Walk) -> bool:
    """Whether nothing goes on any more until a person promotes it."""
    states = {state.state for state in walk.states if not state.clean_up}
    return "manual" in states and not walk.actions and states.isdisjoint(("running", "approval", "failed"))


def _state(walk: _Walk) -> Ending:
    view, change = walk.case.view, walk.case.change
    outcome = view.outcome(change.id)
    if any(state.state == "held" for state in walk.states) and outcome in ("running", "succeeded"):
        return "held"
    if outcome == "running" and _waits_by_hand(walk):
        return "paused"
    serves = all(state.state in ("done", "cached") for state in walk.states if not state.clean_up)
    if change.id in view.unclean or (outcome == "succeeded" and not serves):
        return "running"
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
    if isinstance(step, ApprovalStep) and success is not None and _expired(walk, step, success):
        success = None
    if success is not None and available(step, success.body["output"]):
        output = success.body["output"]
        walk.case.outputs[step.name] = output
        own = success.body["change"] == walk.case.change.id
        walk.show(step, "done" if own else "cached", step.summary(output), success.time if own else None)
    else:
        _undone(walk, step, inputs, broken)


def _undone(walk: _Walk, step: Step, inputs: str, broken: bool) -> None:
    """A step that has no result yet, and whose needs have theirs."""
    if isinstance(step, ApprovalStep) and _beyond_asking(walk, step):
        walk.case.outputs[step.name] = {}
        walk.show(step, "cached", "was given when it was released")
    elif broken:
        walk.show(step, "stopped")
        if isinstance(step, JobStep) and walk.case.view.outcome(walk.case.change.id) == "cancelled":
            _take_in_cancelled(walk, step, inputs)
    elif isinstance(step, JobStep):
        _job(walk, step, inputs)
    elif isinstance(step, CallStep):
        walk.show(step, "running")
        walk.actions.append(Call(step, inputs))
    elif isinstance(step, ApprovalStep) and not _by_hand(walk, step):
        if unclean(walk.case.change, step):
            walk.case.outputs[step.name] = {}
            walk.show(step, "stopped", "nobody is asked for what may not be released")
        else:
            _approval(walk, step, inputs)


def _by_hand(walk: _Walk, step: Entering) -> bool:
    """Whether a person is waited for, who brings it to the environment or not."""
    case = walk.case
    if not step.promoted_from or case.transfer is not None:
        return False
    under_way = case.view.promotion(step.environment, case.change.workload)
    if under_way is not None:
        walk.show(step, "waiting", f"waiting for the promotion {under_way.key}")
    else:
        walk.show(step, "manual", f"waiting for: loopwright promote {step.promoted_from} {step.environment}")
    return True


def _job_id(walk: _Walk, step: JobStep, inputs: str) -> str:
    workload = walk.case.change.workload
    return f"{workload}.{step.name}.{inputs[:12]}.{walk.case.view.attempts[workload, step.name, inputs]}"


def _take_in_cancelled(walk: _Walk, step: JobStep, inputs: str) -> None:
    """Nothing wants the job, so it is ended; what it was in the middle of is settled when it has."""
    job = _job_id(walk, step, inputs)
    status = walk.report.jobs.get(job)
    if status is not None and status.state in ("succeeded", "failed"):
        walk.jobs.add(job)
        walk.actions.append(Finish(step, inputs, job, status))


def _job(walk: _Walk, step: JobStep, inputs: str) -> None:
    key = (walk.case.change.workload, step.name, inputs)
    attempt = walk.case.view.attempts[key]
    job = _job_id(walk, step, inputs)
    walk.jobs.add(job)
    status = walk.report.jobs.get(job)
    held = _held(walk, step) if status is None else ""
    if held:
        walk.show(step, "waiting", held)
    elif status is None:
        walk.show(step, "running", "starting")
        walk.tasks.add(job)
        walk.actions.append(Start(step, inputs, job))
    elif status.state in ("pending", "running"):
        again = f"started again, attempt {attempt + 1}" if walk.case.view.lost[key] else ""
        tries = len(walk.case.view.retries.get((walk.case.change.id, step.name), ()))
        walk.show(step, "running", f"attempt {tries + 1} of {step.attempts}" if tries else again)
    else:
        walk.show(step, "running", "taking in the result")
        walk.actions.append(Finish(step, inputs, job, status))


def _held(walk: _Walk, step: JobStep) -> str:
    """What a job that could start waits for; empty where it may start."""
    absent = [environment for environment in step.asks if environment not in walk.serving]
    if absent:
        return f"waiting for {absent[0]} to serve"
    retries = walk.case.view.retries.get((walk.case.change.id, step.name), [])
    left = step.delay - walk.case.view.elapsed(retries[-1], walk.now) if retries else 0.0
    if left > 0:
        again_at = walk.now + left
        walk.wake_at = min(again_at, walk.wake_at or again_at)
        return f"failed; attempt {len(retries) + 1} of {step.attempts} comes after {step.delay:g} s"
    most = walk.case.spec.pipeline.parallel
    if step.own and most is not None and len(walk.tasks) >= most:
        return f"waiting for its turn: {most} tasks run at once"
    return ""


def _approval(walk: _Walk, step: ApprovalStep, inputs: str) -> None:
    case = walk.case
    name = step.approval_id(case)
    asked = case.view.newest_approval(name)
    if asked is None:
        walk.show(step, "approval", "asking", approval=name)
        walk.actions.append(Ask(step, inputs, name))
        return
    found = standing(case, step, asked, walk.now)
    decided = tuple(case.view.decisions.get(asked.key, []))
    if isinstance(found, Void):
        again = next_name(asked.key, name)
        walk.show(step, "approval", f"asking anew: {found.reason}", approval=again)
        walk.actions.append(Ask(step, inputs, again, asked.key, found))
    elif isinstance(found, Waiting):
        rule = step.rule(case)
        walk.show(step, "approval", told(rule, found, asked.key), approval=asked.key)
        if rule.plain and not decided and case.view.automatic(case.change):
            walk.actions.append(Ask(step, inputs, asked.key))
    else:
        walk.show(step, "running")
        walk.actions.append(Settle(step, inputs, asked.key, decided))


def _expired(walk: _Walk, step: ApprovalStep, success: Fact) -> bool:
    """Whether an approval was given too long ago, for what does not serve yet."""
    return (
        not _beyond_asking(walk, step)
        and walk.case.view.elapsed(success, walk.now) > step.rule(walk.case).expires
    )


def _beyond_asking(walk: _Walk, step: ApprovalStep) -> bool:
    """Whether what would be asked for serves, or did and was rolled back: the release itself says more of that."""
    case, wanted = walk.case, step.wanted(walk.case)
    current = case.view.current(step.environment, case.change.workload)
    serves = current is not None and current.body["inputs"] == wanted
    return serves or (
        case.transfer is None and case.view.rolled_back(step.environment, case.change, wanted) is not None
    )


def _release(walk: _Walk, step: ReleaseStep, inputs: str, broken: bool) -> None:
    case, name = walk.case, step.replica_set(walk.case)
    current = case.view.current(step.environment, case.change.workload)
    completed = current is not None and current.body["inputs"] == inputs
    if broken and not completed:
        walk.show(step, "stopped")
        return
    if not completed and (_is_held(walk, step, inputs) or _by_hand(walk, step)):
        return
    refused = "" if completed or _rolls_back(case) else unclean(case.change, step)
    if refused:
        walk.show(step, "running")
        walk.actions.append(Release(step, inputs, Failure(refused)))
        return
    if not completed and not _has_turn(walk, step, inputs):
        return
    walk.replica_sets.add(name)
    move = next_move(_standing(walk, step, inputs, completed))
    if completed and current is not None:
        # What follows a release stands on its record: a replica that is replaced meanwhile must not undo an approval.
        case.outputs[step.name] = current.body
    if move is Move.DONE and current is not None:
        walk.serving.add(step.environment)
        own = case.change.id in (current.body["change"], current.body.get("transfer"))
        walk.show(
            step, "done" if own else "cached", step.summary(current.body), current.time if own else None
        )
        return
    if case.transfer is None and case.view.newest[case.change.workload] != case.change.id:
        walk.show(step, "running")
        return  # of an older change, that only cleans up; what serves is the newest one's to keep
    status = walk.report.replica_sets.get(name)
    troubled = f": {status.failing}" if status and status.failing and completed else ""
    walk.show(step, "running", move.reason if isinstance(move, Failure) else move.value + troubled)
    if case.transfer is None and case.view.transferring(step.environment, case.change.workload):
        return  # a rollback or promotion is at it: the registry's alias is moved by one of them alone
    walk.actions.append(Release(step, inputs, move))


def _rolls_back(case: Case) -> bool:
    return case.transfer is not None and case.transfer.kind == "rollback.requested"


def _is_held(walk: _Walk, step: ReleaseStep, inputs: str) -> bool:
    """Whether a rollback stands against this release: one that took it away, or one that is under way."""
    case, view = walk.case, walk.case.view
    if case.transfer is not None:
        return False
    back = view.rolled_back(step.environment, case.change, inputs)
    if back is not None:
        comment = f": {back.body['comment']}" if back.body.get("comment") else ""
        walk.show(step, "held", f"rolled back by {back.actor}{comment}", back.time)
        if view.outcome(case.change.id) == "succeeded":
            case.outputs[step.name] = back.body  # what came after it stays
        return True
    for fact in view.rollbacks():
        if (fact.body["environment"], fact.workload) == (step.environment, case.change.workload):
            walk.show(step, "waiting", f"waiting for the rollback {fact.key}")
            return True
    return False


def _has_turn(walk: _Walk, step: ReleaseStep, inputs: str) -> bool:
    """Whether this release is the one under way in its environment: one at a time, in the order of asking.

    A rollback waits for nobody: what it brings back has served there before.
    """
    if _rolls_back(walk.case):
        return True
    queue = walk.case.view.queues.get(step.environment, {})
    mine = queue.get((walk.case.change.id, step.name))
    if mine is None or mine.body["inputs"] != inputs:
        walk.show(step, "waiting", "asking for its turn")
        walk.actions.append(Enter(step, inputs))
        return False
    first = next(iter(queue.values()))
    if first is not mine:
        walk.show(step, "waiting", f"waiting for {first.workload}'s release to {step.environment}")
    return first is mine


def _standing(walk: _Walk, step: ReleaseStep, inputs: str, completed: bool) -> Standing:
    case, name = walk.case, step.replica_set(walk.case)
    status = walk.report.replica_sets.get(name)
    route = case.view.routes.get((step.environment, case.change.workload))
    wanted = route is not None and route.body["inputs"] == inputs
    current = case.view.current(step.environment, case.change.workload)
    accepted = walk.report.routes_accepted
    replicas = status or ReplicaSetStatus(name=name, wanted=0, ready=0)
    minimum = case.spec.serving_in(step.environment).replicas.min
    return Standing(
        # Of what serves already, the engine is asked again by the upkeep.
        started=completed or (status is not None and walk.started_at(step) is not None),
        minimum=minimum if completed else max(1, minimum),
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
        aliased=completed and current is not None and case.view.aliased(current),
        waited=_waited(walk, step),
        patience=180.0,
    )


def _waited(walk: _Walk, step: ReleaseStep) -> float:
    """Seconds since the release began; time in which no control plane lived was no time to become ready in."""
    view = walk.case.view
    since = [view.starts.get((walk.case.change.id, step.name)), view.awake]
    return min((view.elapsed(fact, walk.now) for fact in since if fact is not None), default=0.0)
