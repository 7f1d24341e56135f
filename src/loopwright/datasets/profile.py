"""What a data version looks like in figures: for its record, for the documents written from it, and for the signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from loopwright.datasets.columns import Column
from loopwright.datasets.schema import Schema
from loopwright.observations.bins import text

_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_TOP = 10
_MOST_CLASSES = 20  # an integer label with more distinct values than this is a quantity
_ROWS_PER_CLASS = 5
_LONGEST = 100  # characters of a text value that are kept


def describe(column: Column) -> dict[str, Any]:
    """The figures of one column as JSON values: count, missing, distinct; numbers' moments and quantiles; top values."""
    present = column.values.dropna()
    figures: dict[str, Any] = {
        "type": column.type,
        "count": len(column.values),
        "missing": int(column.missing.sum()),
        "distinct": int(present.nunique()),
    }
    if column.type in ("integer", "number") and len(present):
        figures |= moments(column)
    top = present.value_counts().head(_TOP)
    figures["top"] = [{"value": _cut(plain(value)), "count": int(count)} for value, count in top.items()]
    return figures


def moments(column: Column) -> dict[str, Any]:
    """Least, greatest, mean, standard deviation and quantiles of a column of numbers that has some."""
    numbers = column.values.dropna().to_numpy(dtype=np.float64)
    deviation = float(numbers.std(ddof=1)) if numbers.size > 1 else 0.0
    return {
        "min": plain(column.values.min()),
        "max": plain(column.values.max()),
        "mean": _finite(float(numbers.mean())),
        "std": _finite(deviation),
        "quantiles": {
            f"{share:g}": float(value)
            for share, value in zip(_QUANTILES, np.quantile(numbers, _QUANTILES), strict=True)
        },
    }


def task_of(column: Column, values: tuple[Any, ...] | None) -> str:
    """classification or regression: declared values, text and true/false are classes, and so are few different integers."""
    distinct = column.values.nunique()
    few = distinct <= _MOST_CLASSES and distinct * _ROWS_PER_CLASS <= len(column.values)
    is_class = (
        values is not None
        or column.type in ("string", "boolean")
        or distinct <= 2
        or (column.type == "integer" and few)
    )
    return "classification" if is_class else "regression"


def describe_label(name: str, column: Column, task: str) -> dict[str, Any]:
    """The label's name, type, and balance (class -> share of rows) or, in a regression, its moments."""
    label: dict[str, Any] = {"name": name, "type": column.type}
    if task == "regression":
        return label | moments(column)
    shares = column.values.value_counts(normalize=True)
    return label | {"balance": {str(text(value)): round(float(share), 6) for value, share in shares.items()}}


def signature(schema: Schema, columns: Mapping[str, Column], label: str) -> list[dict[str, Any]]:
    """The inputs of a model trained on these columns: name, type, nullable and known categories of each but the label."""
    return [
        {
            "name": name,
            "type": column.type,
            "nullable": schema.columns[name].missing > 0,
            "categories": list(schema.columns[name].values or ()) or None,
        }
        for name, column in columns.items()
        if name != label
    ]


def example(
    columns: Mapping[str, Column], label: str, rows: pd.Series[bool] | np.ndarray[Any, Any]
) -> dict[str, Any]:
    """One of the rows as JSON values without its label: the first that lacks nothing, else the first."""
    chosen = np.flatnonzero(rows)
    features = {name: column for name, column in columns.items() if name != label}
    lacking = np.zeros(len(rows), dtype=bool)
    for column in features.values():
        lacking |= column.missing
    complete = chosen[~lacking[chosen]]
    row = int(complete[0] if complete.size else chosen[0])
    return {name: plain(column.values.iloc[row]) for name, column in features.items()}


def plain(value: Any) -> Any:
    """A cell as a JSON value; missing is None."""
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _cut(value: Any) -> Any:
    return f"{value[:_LONGEST]}..." if isinstance(value, str) and len(value) > _LONGEST else value


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None
