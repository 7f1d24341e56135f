"""Data files as requests: each row as the JSON object that a client would send.

CSV is read as text and typed by the package's signature alone, so that `007` in a column of strings stays `007` and a
column of integers with gaps does not turn into 7.0. What does not fit its type is sent as it stands: the replica is to
refuse it, as it would a client's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopwright.errors import StepFailed
from loopwright.evaluation.labels import number

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
Marks = Mapping[str, Sequence[str]]  # column -> texts that mean "missing" in it

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_TRUTH = {"true": True, "false": False}
# What people write for "missing". In a column of numbers or of true and false it can mean nothing else.
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?", "."})


def read(path: Path, marks: Marks | None = None) -> pd.DataFrame:
    """A Parquet file, or CSV as text; an empty field is missing, and so are `marks`. Raises StepFailed."""
    import pandas as pd

    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise StepFailed(
            f"The data file {path.name} cannot be read: {error}. Run the data step again."
        ) from error
    for column, texts in (marks or {}).items():
        if column in frame.columns:
            frame[column] = frame[column].mask(frame[column].isin(list(texts)))
    return frame


def requests(frame: pd.DataFrame, inputs: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A JSON object for each row, with a signature's inputs (`name`, `type`); raises StepFailed where a column is not there."""
    absent = [str(column["name"]) for column in inputs if column["name"] not in frame.columns]
    if absent:
        has = ", ".join(map(str, frame.columns))
        raise StepFailed(
            f"The data has no {', '.join(absent)}, expected every input of the package; it has {has}."
        )
    names = [str(column["name"]) for column in inputs]
    typed = [values(frame[column["name"]], column["type"]) for column in inputs]
    return [dict(zip(names, row, strict=True)) for row in zip(*typed, strict=True)]


def values(series: pd.Series[Any], kind: str) -> list[Any]:
    """A column's values as JSON has them: None where missing, else of the signature's type where they fit it."""
    convert = {"integer": _integer, "number": _number, "boolean": _boolean}.get(kind, str)
    return [None if value is None else convert(value) for value in plain(series)]


def plain(series: pd.Series[Any]) -> list[Any]:
    """A column's values as Python's own objects, None where missing."""
    known = series.notna()
    return [
        (value.item() if hasattr(value, "item") else value) if there else None
        for value, there in zip(series, known, strict=True)
    ]


def _integer(value: Any) -> Any:
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    found = _number(value)
    return int(found) if isinstance(found, float) and found.is_integer() else found


def _number(value: Any) -> Any:
    """A finite float; an integer stays one, so that none loses digits. What is no number stays as it is."""
    if isinstance(value, str) and value.strip().lower() in _MISSING:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity: as text, it is refused and seen
    if isinstance(value, int):
        return value
    found = number(value)
    return value if found is None else found


def _boolean(value: Any) -> Any:
    text = str(value).strip().lower()
    return None if text in _MISSING else _TRUTH.get(text, value)
