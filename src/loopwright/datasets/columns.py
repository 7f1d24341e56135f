"""Columns with a type: what a schema says, or else what the values themselves say.

Types are those of a JSON row, for a model's inputs arrive as JSON: integer, number, string, boolean. Dates are strings.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Type = Literal["integer", "number", "string", "boolean"]

DTYPES: Mapping[Type, str] = {"integer": "Int64", "number": "float64", "string": "str", "boolean": "boolean"}
MARKS = (
    "NA",
    "N/A",
    "n/a",
    "NaN",
    "nan",
    "NULL",
    "null",
    "None",
    "none",
    "-",
    "?",
    ".",
)  # what people write for "missing"

_INTEGER = r"^[+-]?[0-9]+$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_ZEROS_BEFORE = r"^[+-]?0[0-9]"
_TRUTH = ("true", "false")
_MOSTLY = 0.9  # from this share of numbers on, a column of text is taken for numbers with errors


@dataclass(frozen=True)
class Column:
    """A column brought to its type: `values` holds NA where one is missing or, see `unreadable`, is not of the type."""

    type: Type
    values: pd.Series[Any]
    unreadable: NDArray[np.bool_]

    @property
    def missing(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.values.isna().to_numpy() & ~self.unreadable
        return found


@dataclass(frozen=True)
class Guess:
    """The type that a column's values suggest, with the texts in it that seem to mean "missing"."""

    type: Type
    marks: tuple[str, ...] = ()


def convert(values: pa.Array, wanted: Type, missing: Collection[str] = ()) -> Column:
    """Bring a column to a type. What cannot be is marked as unreadable, never guessed at; `missing` are texts for "missing"."""
    if missing and _is_text(values):
        values = pc.if_else(
            pc.is_in(values, pa.array(list(missing), values.type)), pa.scalar(None, values.type), values
        )
    typed = _CONVERSIONS[wanted](values)
    unreadable = pc.and_(pc.is_valid(values), pc.is_null(typed)).to_numpy(zero_copy_only=False)
    return Column(type=wanted, values=_series(typed, wanted), unreadable=unreadable)


def guess(values: pa.Array) -> Guess:
    """The type that all values have; numbers also where nearly all are numbers, so that the rest can be shown as errors."""
    if not _is_text(values):
        return Guess(_type_of(values.type))
    written = values.drop_null()
    present = pc.utf8_trim_whitespace(written)
    if not len(present):
        return Guess("string")
    numbers = pc.match_substring_regex(present, _NUMBER)
    share = pc.mean(numbers).as_py()
    if share >= _MOSTLY:
        return _guess_number(present, numbers, written.filter(pc.invert(numbers)))
    lower = pc.utf8_lower(present)
    return Guess("boolean" if pc.all(pc.is_in(lower, pa.array(_TRUTH, lower.type))).as_py() else "string")


def _guess_number(present: pa.Array, numbers: pa.Array, others: pa.Array) -> Guess:
    rest = tuple(sorted(set(others.to_pylist())))  # as they are written: a mark may have blanks around it
    found = present.filter(numbers)
    if pc.any(pc.match_substring_regex(found, _ZEROS_BEFORE)).as_py() or _too_long(found):
        return Guess("string")  # a code such as a postal code or an account, which a number would spoil
    marks = rest if {text.strip() for text in rest} <= {"", *MARKS} else ()
    return Guess("integer" if pc.all(pc.match_substring_regex(found, _INTEGER)).as_py() else "number", marks)


def _too_long(found: pa.Array) -> bool:
    """Whether there are integers beyond 64 bits."""
    integers = found.filter(pc.match_substring_regex(found, _INTEGER))
    return bool(len(integers)) and _to_integer(integers).null_count > 0


def _is_text(values: pa.Array) -> bool:
    kind = values.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _type_of(kind: pa.DataType) -> Type:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    return "number" if pa.types.is_floating(kind) or pa.types.is_decimal(kind) else "string"


def _to_integer(values: pa.Array) -> pa.Array:
    """Integers as they are, and numbers that happen to be whole: pandas writes 42.0 where a column has gaps."""
    if pa.types.is_integer(values.type):
        return _within_64_bits(values)
    if not _is_text(values):
        return _whole(_to_number(values))
    bare = pc.utf8_trim_whitespace(values)
    short = pc.fill_null(pc.match_substring_regex(bare, r"^-?[0-9]{1,18}$"), False)
    rest = _where(pc.invert(short), bare)
    rare = pa.array([None if text is None else _integer(text) for text in rest.to_pylist()], pa.int64())
    return pc.coalesce(pc.cast(_where(short, bare), pa.int64()), rare)


def _integer(text: str) -> int | None:
    """An integer of 64 bits written in another way than by up to 18 digits."""
    if re.match(_INTEGER, text):
        found = int(text)
        return found if -(2**63) <= found < 2**63 else None
    number = float(text) if re.match(_NUMBER, text) else 0.5
    return int(number) if number.is_integer() and abs(number) < 2.0**53 else None


def _whole(numbers: pa.Array) -> pa.Array:
    exact = pc.fill_null(
        pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), 2.0**53)), False
    )
    return pc.cast(_where(exact, numbers), pa.int64())


def _within_64_bits(values: pa.Array) -> pa.Array:
    if values.type != pa.uint64():
        return pc.cast(values, pa.int64())
    return pc.cast(_where(pc.less(values, pa.scalar(2**63, pa.uint64())), values), pa.int64())


def _to_number(values: pa.Array) -> pa.Array:
    """Finite numbers; NaN counts as missing where the file has numbers, and as unreadable where it is text."""
    if pa.types.is_boolean(values.type):
        return pa.nulls(len(values), pa.float64())
    if _is_text(values):
        bare = pc.replace_substring_regex(pc.utf8_trim_whitespace(values), r"^\+", "")
        values = _where(pc.match_substring_regex(bare, _NUMBER), bare)
    elif _type_of(values.type) == "string":
        return pa.nulls(len(values), pa.float64())
    numbers = pc.cast(values, pa.float64())
    return _where(pc.is_finite(numbers), numbers)


def _to_boolean(values: pa.Array) -> pa.Array:
    if pa.types.is_boolean(values.type):
        return values
    if not _is_text(values):
        return pa.nulls(len(values), pa.bool_())
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(values))
    return _where(pc.is_in(lower, pa.array(_TRUTH, lower.type)), pc.equal(lower, "true"))


def _to_string(values: pa.Array) -> pa.Array:
    if _is_text(values) or _type_of(values.type) == "string":  # times as ISO 8601
        return pc.cast(values, pa.large_string())
    return pa.nulls(len(values), pa.large_string())


def _where(mask: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(mask, values, pa.scalar(None, values.type))


def _series(typed: pa.Array, wanted: Type) -> pd.Series[Any]:
    if wanted == "number":
        return pd.Series(typed.to_numpy(zero_copy_only=False), dtype="float64")
    if wanted == "string":
        return pd.Series(typed.to_pandas(), dtype="str")
    missing = pc.is_null(typed).to_numpy(zero_copy_only=False)
    filled = pc.fill_null(typed, 0 if wanted == "integer" else False).to_numpy(zero_copy_only=False)
    array = pd.arrays.IntegerArray if wanted == "integer" else pd.arrays.BooleanArray
    return pd.Series(array(filled.copy(), missing.copy()))


_CONVERSIONS = {"integer": _to_integer, "number": _to_number, "string": _to_string, "boolean": _to_boolean}
