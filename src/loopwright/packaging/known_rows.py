"""Rows of the data version as a model's inputs: held-out ones to compare answers on, training ones to make further rows of.

Only what a client could send: a row with a value that does not fit its declared type is left out.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from loopwright.scoring import Input

Row = tuple[Any, ...]
_TRUTH = {"true": True, "false": False}
_PARQUET = (".parquet", ".pq")
_LEAST, _MOST = -(2**63), 2**63 - 1


class _UnfitError(Exception):
    """A value that its column does not take."""


def read(path: Path, inputs: Sequence[Input], most: int) -> list[Row]:
    """The first `most` rows of a CSV or Parquet file that fit the inputs; none where it lacks one of their columns."""
    records = _parquet(path, inputs) if path.suffix.lower() in _PARQUET else _csv(path)
    return [row for record in islice(records, most) if (row := _row(record, inputs)) is not None]


def row_of(example: Mapping[str, Any], inputs: Sequence[Input]) -> Row:
    """A request's object as a row."""
    return tuple(
        _number(value) if one.type == "number" and value is not None else value
        for one in inputs
        for value in [example.get(one.name)]
    )


def _csv(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        yield from csv.DictReader(file)


def _parquet(path: Path, inputs: Sequence[Input]) -> Iterator[Mapping[str, Any]]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    there = [one.name for one in inputs if one.name in file.schema_arrow.names]
    for batch in file.iter_batches(columns=there):
        yield from batch.to_pylist()


def _row(record: Mapping[str, Any], inputs: Sequence[Input]) -> Row | None:
    try:
        return tuple(_value(record[one.name], one) for one in inputs)
    except (_UnfitError, KeyError, ValueError, TypeError, OverflowError):
        return None


def _value(value: Any, one: Input) -> Any:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        if not one.nullable:
            raise _UnfitError
        return None
    return _CONVERT[one.type](value)


def _integer(value: Any) -> int:
    try:
        found = int(value) if isinstance(value, str) else value
    except ValueError:
        found = float(value)
    if found != int(found) or not _LEAST <= found <= _MOST:
        raise _UnfitError
    return int(found)


def _number(value: Any) -> float:
    found = float(value)
    if not math.isfinite(found):
        raise _UnfitError
    return found


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else _TRUTH[str(value).strip().lower()]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _UnfitError
    return value


_CONVERT: Mapping[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": _text,
}
