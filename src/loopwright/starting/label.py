"""The label: what kind of task it makes, and what a model that knows nothing would reach, which a gate must exceed.

The gates are computed from the very rows that the data step will hold out, since the split is by hash. Each asks for one
standard error more than the trivial answer, so that luck alone does not pass it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from loopwright.datasets.columns import Column, Type, convert, guess
from loopwright.datasets.findings import listed
from loopwright.datasets.profile import plain, task_of
from loopwright.datasets.raw import Raw, counted, shorten
from loopwright.errors import StepFailed

_LEAST_ROWS = 20
_MOST_CLASSES = 100
_ROWS_PER_CLASS = 3
_ONE_SIDED = 0.8  # where one label has more than this share, accuracy says little
_LOSS = 0.02  # what a new version may lose on the one that serves, as a share


@dataclass(frozen=True)
class Label:
    """The label's column with the task that it makes."""

    name: str
    type: Type
    task: str
    why: str
    values: pd.Series[Any]
    classes: tuple[Any, ...] = ()  # in the order in which scikit-learn has them

    @property
    def binary(self) -> bool:
        return len(self.classes) == 2


@dataclass(frozen=True)
class Gate:
    """A condition of the spec, with the reason for its number."""

    metric: str
    bound: str  # min or max
    value: float
    why: str
    loss: float  # how much worse than the serving version a new one may be


def read(raw: Raw, name: str, task: str | None) -> Label:
    """Read the label's column; raises StepFailed where nothing can be learned by it."""
    guessed = guess(raw.columns[name])
    column = convert(raw.columns[name], guessed.type, guessed.marks)
    _require_values(raw, name, column)
    found = task or task_of(column, None)
    if found == "regression":
        if column.type not in ("integer", "number"):
            raise StepFailed(
                f"{raw.shown}: the label {name!r} holds {column.type}s such as {shorten(column.values.iloc[0])}; a regression needs numbers. "
                "Leave --task out, or name another column."
            )
        return Label(name, column.type, found, _because(column, task, found), column.values)
    classes = tuple(plain(value) for value in sorted(column.values.unique()))
    if len(classes) > _MOST_CLASSES or len(classes) * _ROWS_PER_CLASS > raw.rows:
        raise StepFailed(
            f"{raw.shown}: the label {name!r} has {counted(len(classes), 'different value')} in {counted(raw.rows, 'row')}, too many "
            f"to learn them as classes (at most {_MOST_CLASSES}, with {_ROWS_PER_CLASS} rows each in the mean). Is it the right column?"
        )
    return Label(name, column.type, found, _because(column, task, found), column.values, classes)


def _require_values(raw: Raw, name: str, column: Column) -> None:
    if raw.rows < _LEAST_ROWS:
        raise StepFailed(
            f"{raw.shown} has {counted(raw.rows, 'row')}, expected at least {_LEAST_ROWS} to train on some and to hold others out."
        )
    for rows, what in ((column.missing, "no label"), (column.unreadable, "a label unlike the others")):
        if rows.any():
            places = raw.places([int(row) for row in np.flatnonzero(rows)[:5]])
            raise StepFailed(
                f"{raw.shown}: {counted(int(rows.sum()), 'row')} of {raw.rows:,} {'has' if rows.sum() == 1 else 'have'} {what} in {name!r}: "
                f"{places}{', ...' if rows.sum() > 5 else ''}. Correct these rows or take them out: nothing can be learned from them."
            )
    if column.values.nunique() < 2:
        raise StepFailed(
            f"{raw.shown}: the label {name!r} has only the value {shorten(column.values.iloc[0])}, so there is nothing to learn."
        )


def _because(column: Column, wanted: str | None, task: str) -> str:
    if wanted:
        return "as you asked"
    if task == "regression":
        kind = (
            "whole numbers with many different values"
            if column.type == "integer"
            else "numbers with decimals"
        )
        return f"it holds {kind}; --task classification takes them as classes"
    if column.type in ("string", "boolean"):
        return f"it holds {'text' if column.type == 'string' else 'true and false'}"
    number = counted(int(column.values.nunique()), "different number")
    return f"it holds only {number}; --task regression takes it as a quantity"


def gate(label: Label, test: NDArray[np.bool_]) -> Gate:
    """The condition that a model which knows nothing would miss on the held-out rows `test`; StepFailed where they decide nothing."""
    held_out = label.values[test]
    if held_out.nunique() < 2:
        raise too_few(len(test), len(held_out))
    return _of_numbers(label, test) if label.task == "regression" else _of_classes(label, held_out)


def too_few(rows: int, held_out: int) -> StepFailed:
    """The refusal of data whose held-out rows decide nothing."""
    return StepFailed(
        f"Of {counted(rows, 'row')} the data step would hold out {held_out}, with less than two different labels: too few to judge "
        "a model by. Equal rows are held out together. Bring more rows, or columns that tell them apart."
    )


def _of_classes(label: Label, held_out: pd.Series[Any]) -> Gate:
    shares = held_out.value_counts(normalize=True)
    top, rows = float(shares.iloc[0]), len(held_out)
    always = f"always answering {shorten(plain(shares.index[0]))} is right for {top:.1%} of the {counted(rows, 'held-out row')}"
    if top <= _ONE_SIDED:
        bound = _below_one(top + math.sqrt(top * (1 - top) / rows))
        return Gate("accuracy", "min", bound, f"{always}; luck adds up to {bound - top:.1%}", _LOSS)
    if label.binary:
        # The standard error of the area for an uninformed model, by Hanley and McNeil (1982).
        rare = max(1.0, rows * (1 - top))
        error = math.sqrt((rows + 1) / (12 * rare * max(1.0, rows - rare)))
        return Gate(
            "roc_auc",
            "min",
            _below_one(0.5 + error),
            f"{always}, so ranks are judged; guessing gives 0.5",
            _LOSS,
        )
    trivial = 2 * top / (1 + top) / len(label.classes)
    bound = _below_one(trivial + math.sqrt(top * (1 - top) / rows))
    return Gate("f1", "min", bound, f"{always}, whose mean F1 over the labels is {trivial:.2f}", _LOSS)


def _of_numbers(label: Label, test: NDArray[np.bool_]) -> Gate:
    numbers = label.values.to_numpy(dtype=np.float64)
    held_out, mean = numbers[test], float(numbers[~test].mean())
    trivial = math.sqrt(float(((held_out - mean) ** 2).mean()))
    bound = float(f"{trivial * (1 - 1 / math.sqrt(2 * held_out.size)):.3g}")
    rows = counted(held_out.size, "held-out row")
    why = f"always answering the mean, {rounded(mean)}, misses by {rounded(trivial)} on the {rows}"
    return Gate("rmse", "max", bound, why, float(f"{bound * _LOSS:.2g}"))


def rounded(value: float) -> str:
    """A number with four digits that say something: `299,000`, `0.8788`."""
    return f"{float(f'{value:.4g}'):,.10g}"


def _below_one(value: float) -> float:
    return min(0.99, math.ceil(value * 100) / 100)


def worth_knowing(label: Label, test: NDArray[np.bool_]) -> list[str]:
    """What is odd about the label, without being wrong."""
    told = []
    if int(test.sum()) < 30:
        told.append(f"only {counted(int(test.sum()), 'row')} are held out, which judge a model roughly")
    if label.task == "classification":
        counts = label.values.value_counts()
        rare = [plain(value) for value, count in counts.items() if count < 10]
        if rare:
            told.append(f"fewer than 10 rows have the label {listed(rare)}, too few to learn or to judge it")
    return told
