"""How a release step stands: held by a rollback, waiting for a person or its turn, under way, or serving. Pure.

Called by `pipeline` for each release step of a change, a rollback or a promotion.
"""

from __future__ import annotations

from dataclasses import replace

from loopwright.engines.base import ReplicaSetStatus
from loopwright.ledger import Fact
from loopwright.loop.actions import Enter, Release
from loopwright.loop.asking import unclean
from loopwright.loop.case import Case, Output
from loopwright.loop.steps import Entering, ReleaseStep
from loopwright.loop.walk import Walk
from loopwright.release import Failure, Move, Standing, next_move


def by_hand(walk: Walk, step: Entering) -> bool:
    """Whether a person is waited for, who brings it to the environment or not."""
    case = walk.case
    if not step.promoted_from or case.transfer is not None:
        return False
    under_way = case.view.promotion(step.environment, case.change.workload)
    if under_way is not None:
        asked = _open_approval(walk, under_way.key, step.environment)
        told = f": loopwright approve {asked}" if asked else ""
        walk.show(step, "waiting", f"waiting for the promotion {under_way.key}{told}")
    else:
        walk.show(step, "manual", f"waiting for: loopwright promote {step.promoted_from} {step.environment}")
    return True


def _open_approval(walk: Walk, promotion: str, environment: str) -> str:
    """What a person has to approve before a promotion goes on; empty where that is nothing."""
    view = walk.case.view
    asked = view.newest_approval(f"{promotion}-{environment}")
    settled = asked is None or any(fact.body.get("job") == asked.key for fact in view.successes.values())
    return "" if asked is None or settled else asked.key


def release(walk: Walk, step: ReleaseStep, inputs: str, broken: bool) -> None:
    case, name = walk.case, step.replica_set(walk.case)
    current = case.view.current(step.environment, case.change.workload)
    completed = current is not None and current.body["inputs"] == inputs
    if broken and not completed:
        walk.show(step, "stopped")
        return
    if not completed and (_is_held(walk, step, inputs) or by_hand(walk, step)):
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
        told = step.summary(_of_now(case, step, current.body))
        walk.show(step, "done" if own else "cached", told, current.time if _brought(case, current) else None)
        return
    if case.transfer is None and case.view.newest[case.change.workload] != case.change.id:
        walk.show(step, "running")
        return  # of an older change, that only cleans up; what serves is the newest one's to keep
    status = walk.report.replica_sets.get(name)
    troubled = f": {status.failing}" if status and status.failing and completed else ""
    walk.show(step, "running", move.reason if isinstance(move, Failure) else move.value + troubled)
    if completed:
        walk.states[-1] = replace(walk.states[-1], started_at=None)  # it took place long ago
    if case.transfer is None and case.view.transferring(step.environment, case.change.workload):
        return  # a rollback or promotion is at it: the registry's alias is moved by one of them alone
    walk.actions.append(Release(step, inputs, move))


def _brought(case: Case, current: Fact) -> bool:
    """Whether the change or transfer itself made this release: one that a rollback or promotion made took other time."""
    return bool(case.change.id == current.body.get("transfer", current.body["change"]))


def _of_now(case: Case, step: ReleaseStep, output: Output) -> Output:
    """A release as recorded, with the URL of now: this state may be on another machine since, with another port."""
    if case.endpoint is None:
        return output
    return {**output, "url": case.endpoint(step.environment, case.change.workload)}


def _rolls_back(case: Case) -> bool:
    return case.transfer is not None and case.transfer.kind == "rollback.requested"


def _is_held(walk: Walk, step: ReleaseStep, inputs: str) -> bool:
    """Whether a rollback stands against this release: one that took it away, or one that is under way."""
    case, view = walk.case, walk.case.view
    if case.transfer is not None:
        return False
    back = view.rolled_back(step.environment, case.change, inputs)
    if back is not None:
        comment = f": {back.body['comment']}" if back.body.get("comment") else ""
        walk.show(step, "held", f"rolled back by {back.actor}{comment}")
        if view.outcome(case.change.id) == "succeeded":
            case.outputs[step.name] = back.body  # what came after it stays
        return True
    for fact in view.rollbacks():
        if (fact.body["environment"], fact.workload) == (step.environment, case.change.workload):
            walk.show(step, "waiting", f"waiting for the rollback {fact.key}")
            return True
    return False


def _has_turn(walk: Walk, step: ReleaseStep, inputs: str) -> bool:
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


def _standing(walk: Walk, step: ReleaseStep, inputs: str, completed: bool) -> Standing:
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


def _waited(walk: Walk, step: ReleaseStep) -> float:
    """Seconds since the release began; time in which no control plane lived was no time to become ready in."""
    view = walk.case.view
    since = [view.starts.get((walk.case.change.id, step.name)), view.awake]
    return min((view.elapsed(fact, walk.now) for fact in since if fact is not None), default=0.0)
