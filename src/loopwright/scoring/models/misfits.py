"""Which value of which row a model does not take, where its library has raised over it: libraries say neither.

So the cause is looked for among the rows, by what the library complains of: a number beyond what the model holds, a value
that is missing, a category that was not there in training. Where none is found, the model has failed and nobody is blamed.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

from .tables import RowError, Rows

_GREATEST = 3.4028234663852886e38  # of a 32-bit float, in which trees compare


def find(error: Exception, rows: Rows, names: Sequence[str]) -> RowError | None:
    """What a model has raised `error` over; None where no value of the rows explains it."""
    if isinstance(error, RowError):
        return None  # it says so itself
    said = str(error)
    lower = said.lower()
    for complaints, is_cause, found, expected in _CAUSES:
        if any(complaint in lower for complaint in complaints):
            for number, row in enumerate(rows):
                for name, value in zip(names, row):
                    if is_cause(value, said):
                        return RowError(name, number, found(value), expected)
    return None


def _is_too_large(value: Any, _said: str) -> bool:
    return isinstance(value, (int, float)) and abs(value) > _GREATEST


def _is_missing(value: Any, _said: str) -> bool:
    return value is None


def _is_unknown(value: Any, said: str) -> bool:
    """Whether it is among those that the message lists."""
    if isinstance(value, bool) or value is None:
        return False
    listed = said[said.find("[") + 1 : said.rfind("]")] if "[" in said else ""
    if isinstance(value, str):
        return repr(value) in listed or f"`{value}`" in said
    return str(value) in [one.strip() for one in listed.split(",")]


def _shown(value: Any) -> str:
    return repr(value)[:60]


_CAUSES: tuple[tuple[tuple[str, ...], Callable[[Any, str], bool], Callable[[Any], str], str], ...] = (
    (
        ("infinity", "`inf`", "too large"),
        _is_too_large,
        _shown,
        "a number up to 3.4e+38, which the model can hold",
    ),
    (
        ("nan", "missing", "na_type", "none"),
        _is_missing,
        lambda value: "null",
        "a value, since the model takes none that is missing",
    ),
    (
        ("unknown categor", "not in the training set"),
        _is_unknown,
        _shown,
        "a value that the model has seen in training, since it takes no other",
    ),
)
