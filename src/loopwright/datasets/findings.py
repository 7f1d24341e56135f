"""What is wrong with data, in sentences that name columns, counts and example rows."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopwright.datasets.checks import shares
from loopwright.datasets.columns import Column
from loopwright.datasets.raw import Raw, counted, shorten
from loopwright.datasets.schema import Schema

EXAMPLES = 5  # rows, or values, that a sentence names

# What values of a type are called, when it is about one and about several.
_CALLED = {
    "integer": ("a whole number", "whole numbers"),
    "number": ("a number", "numbers"),
    "string": ("text", "text"),
    "boolean": ("true or false", "true or false"),
}

Rows = NDArray[np.bool_]


class Findings:
    """Builds the sentences for one file; a mask of rows says which ones a sentence is about."""

    def __init__(self, raw: Raw, schema: Schema, columns: Mapping[str, Column], repeated: Rows) -> None:
        self._raw, self._schema, self._columns, self._repeated = raw, schema, columns, repeated
        self._sentences: Mapping[str, Callable[[str, Rows], str]] = {
            "missing": self.missing,
            "range": self.range,
            "values": self.values,
            "unique": self.unique,
            "balance": self.balance,
            "constant": self.constant,
            "rows": lambda *_: self.too_few_rows(),
            "duplicates": lambda *_: self.duplicates(),
        }

    def of(self, check: str, column: str, rows: Rows) -> str:
        """The sentence for a failed check of `checks.frame_schema`."""
        return self._sentences[check](column, rows)

    def unreadable(self, name: str) -> str:
        column = self._columns[name]
        called = _CALLED[column.type][int(column.unreadable.sum() > 1)]
        hint = ""
        if column.type == "boolean" and {
            self._raw.columns[name][int(row)].as_py() for row in _first(column.unreadable)
        } <= {"0", "1", 0, 1}:
            hint = " (for 0 and 1, declare type: integer)"
        return f"{self._some(name, column.unreadable)} not {called}{hint}: {self._examples(name, column.unreadable)}"

    def missing(self, name: str, rows: Rows) -> str:
        allowed = self._schema.columns[name].missing
        limit = f", at most {percent(allowed)} may be" if allowed else ""
        return f"{self._some(name, rows)} missing{limit}: {self._raw.places(_first(rows))}{_more(rows)}"

    def range(self, name: str, rows: Rows) -> str:
        rule = self._schema.columns[name]
        limits = [
            f"{word} {limit}"
            for word, limit in (("at least", rule.min), ("at most", rule.max))
            if limit is not None
        ]
        return f"{self._some(name, rows)} not {' and '.join(limits)}: {self._examples(name, rows)}"

    def values(self, name: str, rows: Rows) -> str:
        known = self._schema.columns[name].values or ()
        found = self._columns[name].values[rows]
        counts = found.value_counts()
        first = found.drop_duplicates()
        named = [
            f"{shorten(value)} ({counted(int(count), 'time')}, first in {self._raw.place(int(first.index[first == value][0]))})"
            for value, count in counts.head(EXAMPLES).items()
        ]
        more = " and more" if len(counts) > EXAMPLES else ""
        return f"{self._some(name, rows)} none of the allowed {listed(known)}: {', '.join(named)}{more}"

    def unique(self, name: str, rows: Rows) -> str:
        return f"{self._some(name, rows)} not unique: {self._examples(name, rows)}"

    def balance(self, name: str, _: Rows) -> str:
        rule = self._schema.columns[name]
        least = rule.balance.min_share if rule.balance else 0.0
        rare = [
            f"{shorten(value)} is {percent(share)}"
            for value, share in shares(self._columns[name].values, rule).items()
            if share < least
        ]
        return f"{name}: out of balance, each value should be at least {percent(least)} of the rows: {', '.join(rare[:EXAMPLES])}"

    def constant(self, name: str, _: Rows) -> str:
        present = self._columns[name].values.dropna()
        only = f"only the value {shorten(present.iloc[0])}" if len(present) else "no value"
        return f"{name}: the label has {only}, so there is nothing to learn"

    def too_few_rows(self) -> str:
        return f"the file has {counted(self._raw.rows, 'row')}, expected at least {self._schema.min_rows:,} (min_rows)"

    def duplicates(self) -> str:
        rows = self._repeated
        allowed = (
            f", at most {percent(self._schema.duplicates)} may" if self._schema.duplicates is not None else ""
        )
        return f"{_count(rows, 'row')} repeat an earlier row{allowed}: {self._raw.places(_first(rows))}{_more(rows)}"

    def absent(self, name: str) -> str:
        return f"{name}: the column is missing{_nearest(name, set(self._raw.columns) - set(self._schema.columns))}"

    def unexpected(self, name: str) -> str:
        near = _nearest(name, set(self._schema.columns) - set(self._raw.columns))
        return f"{name}: the column is not in the schema{near or '; declare it, or set unexpected_columns: ignore'}"

    def _some(self, name: str, rows: Rows) -> str:
        return f"{name}: {_count(rows, 'value')} {'is' if rows.sum() == 1 else 'are'}"

    def _examples(self, name: str, rows: Rows) -> str:
        return ", ".join(self._raw.example(name, row) for row in _first(rows)) + _more(rows)


def percent(share: float) -> str:
    """A share with three digits: `0.152%`, `12%`."""
    return f"{share * 100:.3g}%"


def listed(values: Iterable[Any]) -> str:
    """Values in one line, at most ten of them."""
    shown = [shorten(value) for value in values]
    return ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "")


def _count(rows: Rows, noun: str) -> str:
    return f"{int(rows.sum()):,} of {counted(rows.size, noun)} ({percent(float(rows.mean()))})"


def _first(rows: Rows) -> list[int]:
    found: list[int] = np.flatnonzero(rows)[:EXAMPLES].tolist()
    return found


def _more(rows: Rows) -> str:
    return " and more" if rows.sum() > EXAMPLES else ""


def _nearest(name: str, others: Iterable[str]) -> str:
    lower = {other.lower().strip(): other for other in others}
    near = difflib.get_close_matches(name.lower().strip(), lower, n=1)
    return f"; is it {lower[near[0]]!r}?" if near else ""
