"""The first schema file of a data set, from what its columns hold now: a proposal for people to read and to edit.

Limits get some slack, since the next data will not be the same; comments say what was seen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from loopwright.datasets.columns import MARKS, Column, convert, guess
from loopwright.datasets.findings import percent
from loopwright.datasets.profile import plain, task_of
from loopwright.datasets.raw import Raw, counted
from loopwright.datasets.reading import read
from loopwright.datasets.validation import require_label
from loopwright.observations.rows import row_hashes
from loopwright.spec.scalars import resolve

_SLACK = 0.25  # part of the seen span that a number may lie beyond what was seen
_MOST_VALUES = 50  # texts with more distinct values are not listed
_ROWS_PER_VALUE = 5  # nor those that hardly repeat
_ROWS_FOR_KEY = 20  # fewer rows say nothing about uniqueness
_NAMED = 3

_PLAIN = re.compile(r"\w|\w[\w .+-]*[\w.]")

_HEAD = """\
# What {shown} must look like. Made by `loopwright data infer` from {rows}; from here on it is yours: edit it.
# Limits have some slack. The data step fails, and names columns, counts and rows, where data does not hold to this.
apiVersion: loopwright/v1
min_rows: {min_rows}  # {rows} seen; fewer than half of that is more likely a broken file
{duplicates}
{unexpected}
columns:
"""
_ALL_NAMED = "unexpected_columns: refuse  # or ignore: columns that are not named here"
_NOT_NAMED = (
    "unexpected_columns: ignore  # or refuse: columns that are not named here; the model does not see them"
)


def infer(source: Path, label: str, shown: str) -> str:
    """The text of a schema file; raises StepFailed where the data cannot be read or lacks the label."""
    raw = read(source, shown)
    require_label(raw, label)
    return of_rows(raw, label)


def of_rows(raw: Raw, label: str, task: str | None = None, leave_out: Collection[str] = ()) -> str:
    """As `infer`, of rows that were read; columns that are left out are not declared, and such are then allowed."""
    repeated = pd.Series(row_hashes(raw.frame())).duplicated()
    head = _HEAD.format(
        shown=raw.shown,
        rows=counted(raw.rows, "row"),
        min_rows=max(1, raw.rows // 2),
        duplicates=_duplicates(float(repeated.mean())),
        unexpected=_NOT_NAMED if leave_out else _ALL_NAMED,
    )
    named = [name for name in raw.columns if name not in leave_out]
    return head + "\n".join(line for name in named for line in _column(raw, name, name == label, task)) + "\n"


def _duplicates(share: float) -> str:
    if not share:
        return "duplicates: 0%  # no row repeats an earlier one"
    return f"duplicates: {_percent_above(share)}  # {percent(share)} of the rows repeat an earlier one"


def _percent_above(share: float) -> str:
    """Half as much again, in whole percent."""
    return f"{min(100, math.ceil(share * 150))}%"


def _column(raw: Raw, name: str, is_label: bool, task: str | None) -> Iterator[str]:
    guessed = guess(raw.columns[name])
    column = convert(raw.columns[name], guessed.type, guessed.marks)
    yield f"  {scalar(name)}:{'  # the label' if is_label else ''}"
    yield f"    type: {column.type}{_unreadable(raw, name, column)}"
    if guessed.marks:
        yield f"    missing_values: {_list(guessed.marks)}  # besides the empty field"
    if is_label:
        yield from _label(column, task or task_of(column, None))
        return
    yield _missing(column)
    if not column.values.notna().any():
        yield "    # no value was seen: correct the type above, or drop the column"
    elif column.type in ("integer", "number"):
        yield from _limits(column)
    elif column.type == "string":
        yield from _texts(column)
    if is_key(column):
        yield "    unique: true  # every value differs: a key, of no use to a model"


def _unreadable(raw: Raw, name: str, column: Column) -> str:
    rows = np.flatnonzero(column.unreadable)
    if not rows.size:
        return ""
    shown = ", ".join(raw.example(name, int(row)) for row in rows[:_NAMED])
    return f"  # but {counted(rows.size, 'value')} cannot be read so: {shown}. Correct them, or write string"


def _missing(column: Column) -> str:
    share = float(column.missing.mean())
    if not share:
        return "    missing: 0%"
    return f"    missing: {_percent_above(share)}  # {percent(share)} of the rows have none"


def _label(column: Column, task: str) -> Iterator[str]:
    present = column.values.dropna()
    if task == "regression":
        yield from _limits(column)
        return
    shares = present.value_counts(normalize=True)
    seen = ", ".join(f"{scalar(plain(value))} {percent(float(share))}" for value, share in shares.items())
    yield f"    values: {_list(_ordered(present))}"
    yield f"    balance: {{min_share: {_percent_below(float(shares.min()))}}}  # seen: {seen}"


def _percent_below(share: float) -> str:
    """About half, in whole percent where there are any."""
    half = share * 50
    return f"{math.floor(half)}%" if half >= 1 else f"{max(0.001, math.floor(half * 1000) / 1000):g}%"


def _limits(column: Column) -> Iterator[str]:
    least, greatest = plain(column.values.min()), plain(column.values.max())
    slack = (greatest - least) * _SLACK or abs(greatest) * _SLACK or 1
    low = 0 if least >= 0 and least <= slack else _round(least - slack, math.floor)
    high = 0 if greatest <= 0 and -greatest <= slack else _round(greatest + slack, math.ceil)
    for name, limit, seen in (("min", low, least), ("max", high, greatest)):
        if math.isfinite(limit):
            yield f"    {name}: {scalar(limit)}  # {scalar(seen)} seen"


def _round(number: float, direction: Any) -> float | int:
    """Away from what was seen, to two digits."""
    if number == 0 or not math.isfinite(number):
        return number
    unit = 10.0 ** (math.floor(math.log10(abs(number))) - 1)
    rounded = direction(number / unit) * unit
    return round(rounded) if unit >= 1 else float(f"{rounded:.12g}")


def _texts(column: Column) -> Iterator[str]:
    present = column.values.dropna()
    distinct = present.nunique()
    if distinct <= _MOST_VALUES and distinct * _ROWS_PER_VALUE <= len(present):
        yield f"    values: {_list(_ordered(present))}"
    else:
        shown = ", ".join(repr(str(value)[:40]) for value in present.head(_NAMED))
        yield f"    # {counted(distinct, 'different text')}, such as {shown}"
    if suspects := sorted(set(present.unique()) & set(MARKS)):
        yield f"    # missing_values: {_list(suspects)}  # if these mean that there is no value"


def is_key(column: Column) -> bool:
    """Whether every value differs, in rows enough to mean something, as in no quantity but a key."""
    present = column.values.dropna()
    return column.type in ("string", "integer") and len(present) >= _ROWS_FOR_KEY and present.is_unique


def _ordered(present: pd.Series[Any]) -> list[Any]:
    return [plain(value) for value in sorted(present.unique())]


def scalar(value: Any) -> str:
    """A value as YAML reads it back: text in quotes wherever we, or other readers of YAML, might take it for another."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}"
    if not isinstance(value, str):
        return str(value)
    harmless = _PLAIN.fullmatch(value) and resolve(value) == value == yaml.safe_load(value)
    return (
        value
        if harmless
        else yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf).strip()
    )


def _list(values: Any) -> str:
    return f"[{', '.join(scalar(value) for value in values)}]"
