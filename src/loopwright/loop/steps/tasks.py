"""The tasks of a spec, put among the steps of the loop."""

from __future__ import annotations

from collections.abc import Sequence

from loopwright.loop.steps.base import Step
from loopwright.loop.steps.task import TaskStep
from loopwright.spec.models import Workload
from loopwright.spec.pipeline import Task
from loopwright.spec.tasks import artifact_tasks, runs


def with_tasks(spec: Workload, steps: Sequence[Step]) -> tuple[Step, ...]:
    """All steps, each after all that it needs; clean-ups come last."""
    tasks = spec.pipeline.tasks
    if not tasks:
        return tuple(steps)
    every = {name: tuple(runs(name, task)) for name, task in tasks.items()}
    known = {step.name: step for step in steps}
    for name in _in_order(tasks):
        for run, matrix in runs(name, tasks[name]).items():
            known[run] = _step(tasks[name], name, run, matrix, every, known)
    for name, task in tasks.items():
        if task.before is not None:
            step = known[task.before]
            step.needs = (*step.needs, *every[name])
    own = [step for step in known.values() if step.own]
    return _sorted([*own, *steps])


def _step(
    task: Task,
    name: str,
    run: str,
    matrix: dict[str, str],
    every: dict[str, tuple[str, ...]],
    known: dict[str, Step],
) -> TaskStep:
    ordered = [one for need in task.needs for one in every[need]]
    follows = [*ordered, *([task.after] if task.after else [])]
    sources = {source: every[source] for source in artifact_tasks(task)}
    needs = [*follows, *(one for source in sources.values() for one in source)]
    needs += ["environment"] if task.environment == "workload" and not task.always else []
    after = tuple(known[one] for one in follows) if not task.always else ()
    return TaskStep(task, f"pipeline.tasks.{name}", run, matrix, tuple(dict.fromkeys(needs)), after, sources)


def _in_order(tasks: dict[str, Task]) -> list[str]:
    """Tasks behind those that they need."""
    placed: list[str] = []
    while len(placed) < len(tasks):
        placed += [
            name
            for name, task in tasks.items()
            if name not in placed and all(one in placed for one in (*task.needs, *artifact_tasks(task)))
        ]
    return placed


def _sorted(steps: list[Step]) -> tuple[Step, ...]:
    """Each step behind its needs, tasks as early as they can be; clean-ups behind everything."""
    left, placed = sorted(steps, key=lambda step: step.always), dict[str, Step]()
    while left:
        ready = next(step for step in left if all(need in placed for need in step.needs))
        placed[ready.name] = ready
        left.remove(ready)
    return tuple(placed.values())
