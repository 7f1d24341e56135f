"""One pass over the steps of a change: what is shown of each, and what is to be done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from loopwright.engines.base import EngineReport
from loopwright.errors import Place
from loopwright.ledger import Fact
from loopwright.loop.actions import Action
from loopwright.loop.case import Case
from loopwright.loop.steps import Step

State = Literal["waiting", "running", "approval", "done", "cached", "failed", "stopped", "held", "manual"]


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


@dataclass
class Walk:
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
    taken: Collection[str] = ()  # jobs whose outcomes newer changes take in

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
