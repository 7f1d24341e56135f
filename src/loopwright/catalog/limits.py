"""What MLflow takes in one value and in one request, and values made to fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from loopwright.errors import PermanentError

Item = TypeVar("Item")

# mlflow/utils/validation.py; lengths in characters
PARAMETER = 6000
RUN_TAG = 8000
MODEL_TAG = 100_000
PARAMETERS_AT_ONCE = 100
METRICS_AT_ONCE = 1000
PAGE = 1000  # results of a search in one answer


def pairs(values: Mapping[str, object], most: int) -> list[dict[str, str]]:
    """MLflow's form of tags and parameters; what is longer than `most` is cut, and says so."""
    return [{"key": key, "value": _fit(str(value), most)} for key, value in values.items()]


def check_metrics(metrics: Mapping[str, float]) -> None:
    """Raise PermanentError for a metric that is no finite number: MLflow would keep another value."""
    for name, value in metrics.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise PermanentError(
                f"Metric {name!r} is {value!r}, expected a finite number; it is not recorded."
            )


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Consecutive parts of at most `size` items."""
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


def quoted(value: str) -> str:
    """A value in a search expression, which knows no escapes; raises PermanentError for one that cannot be written."""
    for quote in ("'", '"'):
        if quote not in value:
            return f"{quote}{value}{quote}"
    raise PermanentError(f"MLflow cannot search for {value!r}: it holds both kinds of quotes.")


def _fit(value: str, most: int) -> str:
    if len(value) <= most:
        return value
    note = f"... (cut off: {len(value)} characters)"
    return value[: most - len(note)] + note
