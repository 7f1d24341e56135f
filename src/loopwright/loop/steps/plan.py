"""The steps of a workload, in order."""

from __future__ import annotations

from loopwright.loop.steps.approval import EnvironmentApprovalStep
from loopwright.loop.steps.base import Step
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
    approvals = [name for name, environment in spec.environments.items() if environment.approval.count]
    last = "register"
    for index, (name, environment) in enumerate(spec.environments.items()):
        if environment.approval.count:
            approval = "approval" if len(approvals) == 1 else f"approval-{name}"
            steps.append(EnvironmentApprovalStep(name, approval, (last,)))
            last = approval
        steps.append(DeployStep(name, (last,)))
        last = name
        if index == 0:
            if spec.tests.functional:
                steps.append(FunctionalStep(spec.tests.functional, name, last))
                last = "functional"
            if spec.tests.stress:
                steps.append(StressStep(spec.tests.stress, name, last))
                last = "stress"
    return with_tasks(spec, steps)
