"""What can be said of a spec before its models are built, so that one run tells of everything that is wrong.

Looks at the file's plain values, which may be of any shape: what is not as it should be is left to the models.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loopwright.spec.complaints import Complaint, listed, quoted
from loopwright.spec.gates import NEEDS_PROBABILITY
from loopwright.spec.variables import placeholder_fault

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_OUTPUTS = "outputs"
HELD_OUT = "Held out means held out: the held-out rows are for evaluation, and a job that sees them cannot be judged by them."


def crosschecks(spec: object) -> list[Complaint]:
    """What does not fit together between the parts of a spec."""
    return [*_command(spec), *_splits(spec), *_probabilities(spec), *_misplaced_groups(spec)]


def stated(value: object, *path: str) -> Any:
    """The value at a path of plain mappings; None where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def data_names(spec: object) -> Sequence[str]:
    """The names of the data sets."""
    data = stated(spec, "data")
    return list(data) if isinstance(data, Mapping) else []


def task_names(spec: object) -> Sequence[str]:
    """The names of the pipeline's tasks."""
    tasks = stated(spec, "pipeline", "tasks")
    return list(tasks) if isinstance(tasks, Mapping) else []


def group_names(spec: object) -> Sequence[str]:
    """The names of the groups of variables."""
    groups = stated(spec, "variable_groups")
    return list(groups) if isinstance(groups, Mapping) else []


def placeholders(command: str) -> list[str]:
    """What stands in braces in a training command, in order."""
    return _PLACEHOLDER.findall(command)


def words(command: str) -> list[str] | None:
    """A command as a shell splits it; None where a quote is not closed."""
    try:
        return shlex.split(command)
    except ValueError:
        return None


def _command(spec: object) -> Iterator[Complaint]:
    command, at = stated(spec, "training", "command"), "training.command"
    if not isinstance(command, str):
        return
    names = data_names(spec)
    if words(command) is None:
        yield Complaint(at, "a quote that is not closed", "a command as a shell takes it")
    known = [*(f"data.{name}.train" for name in names), _OUTPUTS]
    for inner in dict.fromkeys(placeholders(command)):
        if inner.startswith("variables."):
            hint = placeholder_fault(inner, _variables(spec), bool(stated(spec, "variable_groups")))
            if hint:
                yield Complaint(at, f"the placeholder {quoted(f'{{{inner}}}')}", "a plain variable", hint)
        elif inner not in known:
            hint = HELD_OUT if inner.startswith("data.") and inner.endswith(".test") else _braces(inner)
            yield Complaint(
                at,
                f"the placeholder {quoted(f'{{{inner}}}')}",
                listed([f"{{{name}}}" for name in known]),
                hint,
            )


def _variables(spec: object) -> dict[str, object]:
    """The variables that a spec states for its commands."""
    parts = (stated(spec, "variables"), stated(spec, "training", "variables"))
    return {name: value for part in parts if isinstance(part, Mapping) for name, value in part.items()}


def _braces(inner: str) -> str:
    plain = re.fullmatch(r"[a-z_.]+", inner) is not None
    return "" if plain else "Braces stand for placeholders alone; keep others in the script or in a file."


def _splits(spec: object) -> Iterator[Complaint]:
    for name in data_names(spec):
        by, label = stated(spec, "data", name, "split", "by"), stated(spec, "data", name, "label")
        if isinstance(by, str) and by == label:
            expected = "`row`, or a column such as a customer's id"
            yield Complaint(
                f"data.{name}.split.by",
                f"the label {quoted(by)}",
                expected,
                "Split by the label, train and test would share no label.",
            )


def _misplaced_groups(spec: object) -> Iterator[Complaint]:
    """Groups of variables that are for environments which the spec does not have."""
    environments = stated(spec, "environments")
    for group in group_names(spec) if isinstance(environments, Mapping) else ():
        named = stated(spec, "variable_groups", group, "environments")
        for index, name in enumerate(named if isinstance(named, list) else ()):
            if isinstance(name, str) and name not in environments:
                at = f"variable_groups.{group}.environments.{index}"
                yield Complaint(
                    at, f"the environment {quoted(name)}", listed([str(one) for one in environments])
                )


def _probabilities(spec: object) -> Iterator[Complaint]:
    """Gates that need probabilities which nobody has said how to find; a model says by itself which it gives."""
    gates, given = stated(spec, "evaluation", "gates"), stated(spec, "evaluation", "probability")
    if given is not None or stated(spec, "serving", "model") is not None or not isinstance(gates, list):
        return
    for index, gate in enumerate(gates):
        metric = stated(gate, "metric")
        if isinstance(metric, str) and metric in NEEDS_PROBABILITY:
            yield Complaint(
                f"evaluation.gates.{index}.metric",
                f"the metric `{metric}` without probabilities",
                "`evaluation.probability`, which says where the answer has them",
                "Add it, such as `probability: probability`, or take another metric.",
            )
