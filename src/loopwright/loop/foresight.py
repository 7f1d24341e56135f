"""What a change would do, worked out by the pipeline itself before anything runs. Pure; shown by `plan`.

`advance` is asked again and again: each time, the steps that it would begin get a stand-in for their output, until every
step was reached. What it finds done is done; what reads a stand-in is known only after another step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from loopwright.engines.base import EngineReport
from loopwright.ledger import Fact
from loopwright.loop.actions import Call, Enter, Start
from loopwright.loop.asking import unclean
from loopwright.loop.awaited import Awaited, Field, Readings
from loopwright.loop.case import Case, Kept, Output
from loopwright.loop.change import digest
from loopwright.loop.pipeline import Outcome, advance
from loopwright.loop.steps import ApprovalStep, Entering, ReleaseStep, Step
from loopwright.loop.walk import StepState

Deed = Literal["nothing", "run", "ask", "release", "start", "hold", "promote", "stop"]
"""What is done for a step: nothing (an earlier result is used), a job or call is run, a person is asked, a revision is
released, one that was released before is started again, one that was rolled back is held, a person
has to promote it, or the change stops there, since it may not enter."""


@dataclass(frozen=True)
class Foreseen:
    """What would be done for one step."""

    step: Step
    deed: Deed
    certain: bool  # False: done or not, as `awaits` turns out
    awaits: tuple[Field, ...] = ()  # what its inputs read of steps that have not run
    reuses: Fact | None = None  # nothing: the fact whose result is used
    message: str = ""  # what the pipeline says of it
    under_way: bool = False  # it has begun for this change already
    since: Fact | None = None  # the newest result under other inputs, to compare with
    failed: Fact | None = None  # the step's newest failure, where its inputs were the same
    lost: bool = False  # it has a result under the same inputs, whose files are gone


@dataclass(frozen=True)
class Foresight:
    """What would be done for a change; `case` holds the outputs that are known, and stand-ins for the others."""

    case: Case
    steps: tuple[Foreseen, ...]

    @property
    def nothing(self) -> bool:
        """Whether nothing at all would be done."""
        return all(foreseen.deed in ("nothing", "hold", "promote") for foreseen in self.steps)

    def environments(self, deed: Deed) -> tuple[str, ...]:
        """The environments for which this is done."""
        found = [one.step for one in self.steps if one.deed == deed]
        return tuple(step.environment for step in found if isinstance(step, ReleaseStep))


def foresee(case: Case, steps: tuple[Step, ...], report: EngineReport, now: float, kept: Kept) -> Foresight:
    """Say what `advance` would come to do for every step; `kept` is asked which earlier results are still there."""
    readings = Readings()
    walked, states = _walk(
        case, steps, report, now, readings, lambda step, output: step.available(output, kept)
    )
    fresh: set[Field] = set()
    foreseen = []
    for step in steps:
        found = _foreseen(walked, step, states.get(step.name), readings, fresh)
        if found.deed in ("run", "release") and found.certain:
            earlier = [fact.body.get("output", fact.body) for fact in _results(walked, step)]
            fresh |= {(step.name, name) for name in step.fresh(walked, earlier, kept.store)}
            readings.take()
        foreseen.append(found)
    return Foresight(walked, tuple(foreseen))


def _walk(
    case: Case,
    steps: Sequence[Step],
    report: EngineReport,
    now: float,
    readings: Readings,
    available: Callable[[Step, Output], bool],
) -> tuple[Case, Mapping[str, StepState]]:
    awaited: dict[str, Output] = {}
    while True:
        walked = replace(case, outputs=dict(awaited))
        outcome = advance(walked, tuple(steps), report, "", now, available)
        known = walked.outputs
        more = [s for s in steps if s.name not in known and all(need in known for need in s.needs)]
        if not more:
            readings.take()
            return walked, {state.step: _shown(state, outcome) for state in outcome.states}
        awaited |= {step.name: _output(walked, step, readings) for step in more}


def _shown(state: StepState, outcome: Outcome) -> StepState:
    """Without its beginning where it has yet to begin: it may have begun once for this change, and be to do again."""
    begins = {action.step.name for action in outcome.actions if isinstance(action, Start | Call | Enter)}
    going = state.state in ("running", "approval") and state.step not in begins
    return state if going else replace(state, started_at=None)


def _output(case: Case, step: Step, readings: Readings) -> Output:
    """What is known of the output of a step that would be run."""
    readings.take()
    inputs = digest(step.inputs(case))
    if step.repeats and not readings.take():
        earlier = case.view.successes.get((case.change.workload, step.name, inputs))
        if earlier is not None:
            output: Output = earlier.body["output"]
            return output
    return Awaited(step.name, readings)


def _foreseen(
    case: Case, step: Step, state: StepState | None, readings: Readings, fresh: set[Field]
) -> Foreseen:
    inputs = digest(step.inputs(case))
    awaits, results = readings.take(), _results(case, step)
    newest = results[-1] if results else None
    message = state.message if state else ""
    same = case.view.successes.get((case.change.workload, step.name, inputs))
    if state is not None and state.state in ("done", "cached"):
        return Foreseen(step, "nothing", True, reuses=same or newest, message=message)
    if isinstance(step, Entering) and state is not None:
        stands = _stands_before(case, step, state)
        if stands is not None:
            return Foreseen(
                step, stands, True, message=unclean(case.change, step) if stands == "stop" else message
            )
    deed = _deed(step)
    if deed == "release" and not isinstance(case.outputs[step.name], Awaited):
        return Foreseen(step, "start", True, reuses=newest, message=message)
    return Foreseen(
        step,
        deed,
        certain=not awaits or bool(awaits & fresh) or not results or step.each_change,
        awaits=tuple(sorted(awaits)),
        since=newest,
        message=message,
        under_way=state is not None and state.started_at is not None,
        failed=_failed(case, step, inputs),
        lost=same is not None,
    )


def _stands_before(case: Case, step: Entering, state: StepState) -> Deed | None:
    """Why a change does not enter an environment by itself; None where it does."""
    if state.state == "held":
        return "hold"
    if state.state == "manual" or (step.promoted_from and state.state == "waiting"):
        return "promote"  # a person has yet to, or did, and the promotion is under way
    ahead = state.state == "stopped" or isinstance(case.outputs[step.name], Awaited)
    return "stop" if ahead and unclean(case.change, step) else None


def _failed(case: Case, step: Step, inputs: str) -> Fact | None:
    found = [
        fact
        for (_, name), fact in case.view.failures.items()
        if (fact.workload, name, fact.body["inputs"]) == (case.change.workload, step.name, inputs)
    ]
    return max(found, key=lambda fact: fact.sequence, default=None)


def _deed(step: Step) -> Deed:
    if isinstance(step, ApprovalStep):
        return "ask"
    return "release" if isinstance(step, ReleaseStep) else "run"


def _results(case: Case, step: Step) -> list[Fact]:
    """The facts that hold earlier results of a step, oldest first."""
    workload = case.change.workload
    if isinstance(step, ReleaseStep):
        return list(case.view.releases.get((step.environment, workload), []))
    found = [
        fact for (of, name, _), fact in case.view.successes.items() if (of, name) == (workload, step.name)
    ]
    return sorted(found, key=lambda fact: fact.sequence)
