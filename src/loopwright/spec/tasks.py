"""How the tasks of a spec stand among the steps of the loop: their runs, their order, and whether all of it fits.

Works on a valid `Workload`. Used by `models` (to refuse what does not fit) and by the loop (to plan).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from loopwright.spec.complaints import Complaint, listed, quoted
from loopwright.spec.outline import HELD_OUT, placeholders, words
from loopwright.spec.pipeline import Task
from loopwright.spec.variables import placeholder_fault

if TYPE_CHECKING:
    from loopwright.spec.models import Workload

MOST_RUNS = 100  # runs that one matrix may stand for
BUILT_IN = ("data", "environment", "train", "package", "evaluate", "register")
Needs = dict[str, tuple[str, ...]]


def runs(name: str, task: Task) -> dict[str, dict[str, str]]:
    """The steps that a task stands for: step name -> matrix values as text; one step where it has no matrix."""
    if not task.matrix:
        return {name: {}}
    found = {}
    for values in itertools.product(*task.matrix.values()):
        texts = [_text(value) for value in values]
        found["-".join([name, *map(_slug, texts)])] = dict(zip(task.matrix, texts, strict=True))
    return found


def built_in(spec: Workload) -> Needs:
    """Every step of the loop for this spec, in order: name -> the steps that it waits for."""
    found: Needs = {
        "data": (),
        "environment": (),
        "train": ("environment", "data"),
        "package": ("train",),
        "evaluate": ("package",),
        "register": ("evaluate",),
    }
    asking = [name for name, environment in spec.environments.items() if environment.approval.count]
    last = "register"
    for index, name in enumerate(spec.environments):
        tests = [test for test in ("functional", "stress") if index == 0 and getattr(spec.tests, test)]
        approval = ["approval" if len(asking) == 1 else f"approval-{name}"] if name in asking else []
        for step in (*approval, name, *tests):
            found[step] = (last,)
            last = step
    return found


def artifact_tasks(task: Task) -> tuple[str, ...]:
    """The tasks whose artifacts it reads."""
    return tuple(dict.fromkeys(path.partition("/")[0] for path in task.artifacts.needed))


def graph(spec: Workload) -> Needs:
    """Steps of the loop and tasks: name -> what it waits for. What is not known is left out."""
    tasks, needs = spec.pipeline.tasks, built_in(spec)
    for name, task in tasks.items():
        after = [task.after] if task.after not in tasks and task.after else []
        wanted = [*task.needs, *artifact_tasks(task), *after]
        wanted += ["environment"] if task.environment == "workload" and not task.always else []
        needs[name] = tuple(one for one in dict.fromkeys(wanted) if one in needs or one in tasks)
    for name, task in tasks.items():
        if task.before in needs and task.before not in tasks:  # a task is named by `needs` alone
            needs[task.before] = (*needs[task.before], name)
    return needs


def before(needs: Needs, name: str) -> set[str]:
    """All that is done when a step begins."""
    found: set[str] = set()
    left = list(needs.get(name, ()))
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += needs.get(one, ())
    return found


def unfit(spec: Workload) -> Iterator[Complaint]:
    """What is wrong with the tasks, taken together with all else that the spec says."""
    steps = list(built_in(spec))
    taken = list(_names(spec.pipeline.tasks, steps))
    yield from taken
    if taken:
        return  # of two with one name, neither can be put in order
    needs = graph(spec)
    rings = [name for name in spec.pipeline.tasks if name in before(needs, name)]
    for name, task in spec.pipeline.tasks.items():
        at = f"pipeline.tasks.{name}"
        yield from _order(spec.pipeline.tasks, steps, name, at)
        yield from _clean_up(spec.pipeline.tasks, name, at)
        yield from _matrix(task, at)
        if name in rings:
            if name == rings[0]:
                yield _ring(needs, name, task, at)
        else:
            yield from _command(spec, task, before(needs, name), f"{at}.command")


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _slug(text: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:40] or "x"


def _names(tasks: Mapping[str, Task], steps: list[str]) -> Iterator[Complaint]:
    taken = dict.fromkeys(
        [*steps, *BUILT_IN, "functional", "stress", "approval", "evaluation"], "a step of the loop"
    )
    for name, task in tasks.items():
        for step in runs(name, task) if _count(task) <= MOST_RUNS else (name,):
            owner = taken.get(step) or ("a step of the loop" if step.startswith("approval-") else "")
            if owner:
                run = "" if step == name else f" (a run of {name})"
                yield Complaint(
                    f"pipeline.tasks.{name}",
                    f"the name {quoted(step)}{run}, which {owner} has",
                    "a name of its own",
                    "Rename the task.",
                )
            taken[step] = f"the task {name}"


def _order(tasks: Mapping[str, Task], steps: list[str], name: str, at: str) -> Iterator[Complaint]:
    task = tasks[name]
    others = [other for other in tasks if other != name]
    for index, need in enumerate(task.needs):
        if need not in tasks:
            hint = f"Say `after: {need}`: it is a step of the loop." if need in steps else ""
            yield Complaint(f"{at}.needs.{index}", quoted(need), _one_of(others, "task"), hint)
    for index, path in enumerate(task.artifacts.needed):
        source = path.partition("/")[0]
        where = f"{at}.artifacts.in.{index}"
        if source not in tasks:
            yield Complaint(where, quoted(path), _one_of(others, "task"))
        elif not _keeps(tasks[source]):
            hint = (
                f"Name files in `pipeline.tasks.{source}.artifacts.out`, or have it write to `{{outputs}}`."
            )
            yield Complaint(where, f"{quoted(source)}, which keeps no artifacts", "a task that does", hint)
    for word, step in (("after", task.after), ("before", task.before)):
        if step is not None and step not in steps:
            hint = "Tasks are put in order by `needs`." if step in tasks else ""
            yield Complaint(f"{at}.{word}", quoted(step), f"a step or environment: {listed(steps)}", hint)


def _one_of(names: list[str], kind: str) -> str:
    return f"another {kind}: {listed(names)}" if names else f"another {kind}, of which there is none"


def _keeps(task: Task) -> bool:
    return bool(task.artifacts.out) or "outputs" in placeholders(task.command)


def _clean_up(tasks: Mapping[str, Task], name: str, at: str) -> Iterator[Complaint]:
    task = tasks[name]
    if not task.always:
        wrong = [(f"needs.{i}", need) for i, need in enumerate(task.needs)]
        wrong += [
            (f"artifacts.in.{i}", path.partition("/")[0]) for i, path in enumerate(task.artifacts.needed)
        ]
        for where, need in wrong:
            if need in tasks and tasks[need].always:
                found = f"{quoted(need)}, a clean-up that runs at the change's end"
                yield Complaint(f"{at}.{where}", found, "a task without `always`")
        return
    hint = "It runs at the change's end, whatever was done before."
    for field in ("after", "before"):
        if getattr(task, field) is not None:
            yield Complaint(f"{at}.{field}", f"{quoted(getattr(task, field))} with `always`", "neither", hint)
    if task.artifacts.needed:
        yield Complaint(f"{at}.artifacts.in", "artifacts with `always`", "none: they may not be there", hint)
    for index, need in enumerate(task.needs):
        if need in tasks and not tasks[need].always:
            expected = "another task with `always`"
            yield Complaint(f"{at}.needs.{index}", f"{quoted(need)}, which may never run", expected, hint)
    if task.cache and "cache" in task.model_fields_set:
        yield Complaint(
            f"{at}.cache", "`true` with `always`", "`false`, or nothing", "A clean-up runs for each change."
        )


def _count(task: Task) -> int:
    return math.prod(len(values) for values in task.matrix.values())


def _matrix(task: Task, at: str) -> Iterator[Complaint]:
    for variable, values in task.matrix.items():
        slugs = [_slug(_text(value)) for value in values]
        alike = [_text(value) for value, slug in zip(values, slugs, strict=True) if slugs.count(slug) > 1]
        if alike:
            found = f"the values {listed(alike, 'and')}, whose steps would have the same name"
            yield Complaint(f"{at}.matrix.{variable}", found, "values that differ in letters or digits")
    if (
        _count(task) <= MOST_RUNS
        and len(runs("x", task)) < _count(task)
        and not any(
            len({_slug(_text(value)) for value in values}) < len(values) for values in task.matrix.values()
        )
    ):
        yield Complaint(
            f"{at}.matrix", "two combinations whose steps would have the same name", "values that differ"
        )
    if _count(task) > MOST_RUNS:
        sizes = " x ".join(str(len(values)) for values in task.matrix.values())
        expected = f"at most {MOST_RUNS}"
        yield Complaint(f"{at}.matrix", f"{_count(task)} runs ({sizes})", expected, "Leave out some values.")


def _ring(needs: Needs, name: str, task: Task, at: str) -> Complaint:
    ring = [name]
    while True:
        ring.append(next(need for need in needs[ring[-1]] if need == name or name in before(needs, need)))
        if ring[-1] == name:
            break
    field = "needs" if task.needs else "before" if task.before else "after"
    told = ", which waits for ".join(quoted(one) for one in ring)
    return Complaint(f"{at}.{field}", f"a ring: {told}", "an order without a ring")


def _command(spec: Workload, task: Task, done: set[str], at: str) -> Iterator[Complaint]:
    if not words(task.command):
        yield Complaint(at, "a quote that is not closed", "a command as a shell takes it")
        return
    known = _values(spec, task)
    for inner in dict.fromkeys(placeholders(task.command)):
        if inner in known and (known[inner] in done or not known[inner]):
            continue
        if inner.startswith("variables."):
            variables = {**spec.variables, **spec.training.variables}
            fault = placeholder_fault(inner, variables, bool(spec.variable_groups))
            if fault:
                yield Complaint(at, f"the placeholder {quoted(f'{{{inner}}}')}", "a plain variable", fault)
            continue
        if inner not in known:
            hint = HELD_OUT if inner.startswith("data.") and inner.endswith(".test") else ""
            if inner.startswith("artifacts."):
                hint = "Name the task in `artifacts.in`."
            expected = listed([f"{{{name}}}" for name in known])
            yield Complaint(at, f"the placeholder {quoted(f'{{{inner}}}')}", expected, hint)
            continue
        hint = "" if task.always else f"Say `after: {known[inner]}`."
        found = f"{quoted(f'{{{inner}}}')}, which has no value before {known[inner]} is done"
        expected = (
            "placeholders of what comes before a clean-up: none"
            if task.always
            else f"a task after {known[inner]}"
        )
        yield Complaint(at, found, expected, hint)


def _values(spec: Workload, task: Task) -> dict[str, str]:
    """Every placeholder that a task may name, and the step that gives it its value; empty where none is needed."""
    known = {"outputs": ""}
    known |= {f"matrix.{variable}": "" for variable in task.matrix}
    known |= {f"artifacts.{source}": "" for source in artifact_tasks(task)}
    known |= {f"data.{name}.train": "data" for name in spec.data} | {"model": "train"}
    for name in spec.environments:
        known |= {f"endpoint.{name}": name, f"endpoint.{name}.key": name}
    return known
