"""The steps of a workload, in order."""

from __future__ import annotations

from loopwright.loop.steps.approval import EnvironmentApprovalStep
from loopwright.loop.steps.base import Entering, Step
from loopwright.loop.steps.checks import FunctionalStep, StressStep
from loopwright.loop.steps.data import DataStep
from loopwright.loop.steps.deploy import DeployStep
from loopwright.loop.steps.environment import EnvironmentStep
from loopwright.loop.steps.evaluate import EvaluateStep
from loopwright.loop.steps.package import PackageStep
from loopwright.loop.steps.register import RegisterStep
from loopwright.loop.steps.tasks import with_tasks
from loopwright.loop.steps.train import TrainStep
from loopwright.spec.models import Workload


def plan(spec: Workload) -> tuple[Step, ...]:
    """Every step that this spec asks for, tasks included; each environment waits for the one before it and its tests."""
    steps: list[Step] = [
        DataStep(),
        EnvironmentStep(),
        TrainStep(),
        PackageStep(),
        EvaluateStep(),
        RegisterStep(),
    ]
    last = "register"
    for index, name in enumerate(spec.environments):
        steps += entering(spec, name, last)
        last = name
        if index == 0:
            if spec.tests.functional:
                steps.append(FunctionalStep(spec.tests.functional, name, last))
                last = "functional"
            if spec.tests.stress:
                steps.append(StressStep(spec.tests.stress, name, last))
                last = "stress"
    return with_tasks(spec, steps)


def entering(spec: Workload, name: str, *after: str) -> tuple[Step, ...]:
    """The steps into one environment, the first of them behind these: its approval, where it asks for one, and the release."""
    names = list(spec.environments)
    environment = spec.environments[name]
    release = DeployStep(name, after)
    steps: list[Entering] = [release]
    if environment.approval.count:
        asking = [one for one in spec.environments.values() if one.approval.count]
        approval = EnvironmentApprovalStep(
            name, "approval" if len(asking) == 1 else f"approval-{name}", after
        )
        release.needs = (approval.name,)
        steps = [approval, release]
    for step in steps:
        step.protected = environment.protected
        step.promoted_from = names[names.index(name) - 1] if environment.promotion == "manual" else ""
    return tuple(steps)
