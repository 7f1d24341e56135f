"""From labels and answers to metrics: overall, by slice, and against the champion on the same rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loopwright.errors import Place, StepFailed
from loopwright.evaluation.asking import Answer
from loopwright.evaluation.gates import Side
from loopwright.evaluation.labels import canonical, number, ordered
from loopwright.evaluation.metrics import Judged, Question, Task, measure, positive_of

_MOST_SHOWN = 8  # classes that a message lists


def question(task: Task, label: str, values: Sequence[object], positive: object) -> Question:
    """What is asked of all rows, from every known label (train and test); raises StepFailed where `positive` is none of them."""
    if task == "regression":
        return Question(task)
    classes = ordered(text for text in map(canonical, values) if text is not None)
    declared = canonical(positive)
    if declared is not None and (declared not in classes or len(classes) > 2):
        shown = ", ".join(classes[:_MOST_SHOWN]) + (" ..." if len(classes) > _MOST_SHOWN else "")
        raise StepFailed(
            f"evaluation.positive is {declared}, expected one of the label's two classes; `{label}` has {len(classes)}: "
            f"{shown}. Name one of two, or leave it out.",
            ["evaluation.positive"],
        )
    return Question(task, classes, positive_of(classes, declared))


def labels(values: Sequence[object], task: Task, label: str) -> list[Any]:
    """Labels in the form that answers are compared in; None where missing. Raises StepFailed for text in a regression."""
    if task == "classification":
        return [canonical(value) for value in values]
    found = [number(value) for value in values]
    for value, parsed in zip(values, found, strict=True):
        if parsed is None and canonical(value) is not None:
            raise StepFailed(
                f"The label `{label}` has {value!r}, expected numbers only, since the task is regression. "
                "Mend the data, or set evaluation.task to classification.",
                ["evaluation.task"],
            )
    return found


def judged(truth: Sequence[Any], answers: Sequence[Answer]) -> Judged:
    """Labels beside answers; the probabilities only where every answer has one."""
    known = [answer.probability for answer in answers if answer.probability is not None]
    predictions = [answer.prediction for answer in answers]
    return Judged(truth, predictions, known if len(known) == len(answers) else None)


def require_labels(rows: Judged, asked: Question, label: str, script: str) -> None:
    """Raises StepFailed where no answer is ever a label that the data has: not a bad model, but another way to write it.

    `script` is what answers; empty for a model without one.
    """
    known = set(asked.classes).union(rows.labels)
    said = ordered(text for text in rows.predictions if text is not None)
    if asked.task == "regression" or not said or known.intersection(said):
        return
    has = ordered(text for text in known if text is not None)
    raise StepFailed(
        f"{script or 'The model'} answers {_shown(said)}, the label `{label}` has {_shown(has)}. Answer the label as the data has it, "
        "such as what model.predict gives where it was fitted to that column.",
        [Place(file=script) if script else Place("serving.model")],
    )


def doubts(rows: Judged, asked: Question, script: str) -> tuple[str, ...]:
    """What is worth a look though it breaks no gate: a classifier that tells no held-out row from another.

    `script` is what answers; empty for a model without one.
    """
    said = set(rows.predictions)
    if asked.task == "regression" or len(said) != 1:
        return ()
    [answer] = said
    others = sum(label not in (answer, None) for label in rows.labels)
    if not others:
        return ()
    has = "none has that label" if others == len(rows.labels) else f"{others} of them with another label"
    shown = answer if number(answer) is not None else repr(answer)
    return (
        f"{script or 'The model'} answers {shown} for all {len(rows.labels)} held-out rows, {has}: it tells no row from another. "
        "Look whether training sees the label and the columns as they are meant.",
    )


def _shown(classes: Sequence[str]) -> str:
    """As `0 and 1 (whole numbers)`, or `'no' and 'yes'`."""
    numbers = [number(name) for name in classes]
    whole = all(value is not None and value.is_integer() for value in numbers)
    told = [name if value is not None else repr(name) for name, value in zip(classes, numbers, strict=True)]
    if len(told) > _MOST_SHOWN:
        told = [*told[:_MOST_SHOWN], f"{len(told) - _MOST_SHOWN} more"]
    listed = " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
    return f"{listed} (whole numbers)" if whole else listed


@dataclass(frozen=True)
class Slicing:
    """For each sliced column, the slice of each row."""

    columns: Mapping[str, Sequence[str]]

    def take(self, rows: Sequence[int]) -> Slicing:
        """For these rows alone."""
        return Slicing({column: [of[row] for row in rows] for column, of in self.columns.items()})

    def side(self, rows: Judged, asked: Question) -> Side:
        """The metrics of a version over all these rows and over each slice."""
        slices = {
            column: {
                name: measure(rows.take([row for row, own in enumerate(of) if own == name]), asked)
                for name in ordered(of)
            }
            for column, of in self.columns.items()
        }
        return Side(measure(rows, asked), slices)
