"""The pipeline's controller: where every step of a change stands, and what to do next. Pure.

(spec, facts, what the engine reports, now) -> states and actions. Called at every tick with everything it needs; the
driver performs the actions and appends their outcomes as facts, which the next call sees.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from loopwright.engines.base import EngineReport, JobStatus
from loopwright.errors import read_places
from loopwright.loop.actions import Action, Call, End, Finish, Leave, Start
from loopwright.loop.asking import approval, beyond_asking, expired, unclean
from loopwright.loop.case import Case, Output
from loopwright.loop.change import digest
from loopwright.loop.releasing import by_hand, release
from loopwright.loop.steps import ApprovalStep, CallStep, JobStep, ReleaseStep, Step
from loopwright.loop.view import Ending
from loopwright.loop.walk import StepState, Walk

MOST_LOST = 3  # times that a job lost through no fault of its own is started again


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


def advance(
    case: Case,
    steps: tuple[Step, ...],
    report: EngineReport,
    routes: str,
    now: float,
    available: Callable[[Step, Output], bool],
    taken: Collection[str] = (),
) -> Outcome:
    """Say how the change stands and what to do; fills `case.outputs`.

    `routes` is the digest of the route table that the facts want; `available` tells whether an earlier result's files
    are still there; `taken` are the ids of jobs that newer changes want, and whose outcomes are theirs.
    """
    walk = Walk(case, report, routes, now, taken=taken)
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


def _clean_up(walk: Walk, step: Step, available: Callable[[Step, Output], bool]) -> None:
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


def _leave_queues(walk: Walk, steps: tuple[Step, ...], over: bool) -> None:
    """A change that goes no further holds up no other's release."""
    if not over:
        return
    for queue in walk.case.view.queues.values():
        for (change, name), asked in queue.items():
            step = next((step for step in steps if step.name == name), None)
            if change == walk.case.change.id and isinstance(step, ReleaseStep):
                walk.actions.append(Leave(step, asked.body["inputs"]))


def _end(walk: Walk, broken: bool) -> None:
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


def _waits_by_hand(walk: Walk) -> bool:
    """Whether nothing goes on any more until a person promotes it."""
    states = {state.state for state in walk.states if not state.clean_up}
    return "manual" in states and not walk.actions and states.isdisjoint(("running", "approval", "failed"))


def _state(walk: Walk) -> Ending:
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


def _step(walk: Walk, step: Step, broken: bool, available: Callable[[Step, Output], bool]) -> None:
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
        release(walk, step, inputs, broken)
        return
    success = walk.case.view.successes.get((walk.case.change.workload, step.name, inputs))
    if isinstance(step, ApprovalStep) and success is not None and expired(walk, step, success):
        success = None
    if success is not None and available(step, success.body["output"]):
        output = success.body["output"]
        walk.case.outputs[step.name] = output
        own = success.body["change"] == walk.case.change.id
        walk.show(step, "done" if own else "cached", step.summary(output), success.time if own else None)
    else:
        _undone(walk, step, inputs, broken)


def _undone(walk: Walk, step: Step, inputs: str, broken: bool) -> None:
    """A step that has no result yet, and whose needs have theirs."""
    if isinstance(step, ApprovalStep) and beyond_asking(walk, step):
        walk.case.outputs[step.name] = {}
        walk.show(step, "cached", "was given when it was released")
    elif broken:
        walk.show(step, "stopped")
        if isinstance(step, JobStep):
            _take_in_stopped(walk, step, inputs)
    elif isinstance(step, JobStep):
        _job(walk, step, inputs)
    elif isinstance(step, CallStep):
        walk.show(step, "running")
        walk.actions.append(Call(step, inputs))
    elif isinstance(step, ApprovalStep) and not by_hand(walk, step):
        if unclean(walk.case.change, step):
            walk.case.outputs[step.name] = {}
            walk.show(step, "stopped", "nobody is asked for what may not be released")
        else:
            approval(walk, step, inputs)


def _job_id(walk: Walk, step: JobStep, inputs: str) -> str:
    return walk.case.view.job(walk.case.change.workload, step.name, inputs)


def _take_in_stopped(walk: Walk, step: JobStep, inputs: str) -> None:
    """Where nothing else wants the job, it is ended; what it was in the middle of is settled when it has.

    A job that never came to start may have begun a run: that is settled as if it had been cancelled.
    """
    job = _job_id(walk, step, inputs)
    status = walk.report.jobs.get(job)
    if status is None and walk.case.view.open_runs.get(job) == walk.case.change.id:
        status = JobStatus(id=job, state="failed", reason="cancelled")
    if job not in walk.taken and status is not None and status.state in ("succeeded", "failed"):
        walk.jobs.add(job)
        walk.actions.append(Finish(step, inputs, job, status))


def _job(walk: Walk, step: JobStep, inputs: str) -> None:
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


def _held(walk: Walk, step: JobStep) -> str:
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
