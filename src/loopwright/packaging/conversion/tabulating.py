"""Transformers of categories as tables: for each value that they know, for missing and for unknown, what the original makes of it.

The original itself is asked, so one-hot with all its options, ordinal and target encoding, imputed strings and what is
scaled behind them come out as they are. That needs each column to be treated by itself, so only transformers that do so
are taken.
"""

from __future__ import annotations

from typing import Any, Dict

from . import CannotCompile
from .elementwise import COLUMNWISE

Block = Dict[str, Any]

ENCODERS = frozenset(("OneHotEncoder", "OrdinalEncoder", "TargetEncoder"))
_MOST_VALUES = 4_000_000  # numbers in the tables of one transformer
_UNKNOWN_TEXT = "\u2400 unknown"


def has_encoder(steps: list[Any]) -> bool:
    """Whether these transformers make numbers of categories."""
    return any(type(step).__name__ in ENCODERS for step in steps)


class Tabulator:
    """Asks a branch of transformers about the columns that it takes.

    `apply(rows)` is what the branch makes of rows of all inputs, as a dense array; `example` is a row that it takes.
    """

    def __init__(
        self, steps: list[Any], inputs: list[int], types: list[str], apply: Any, example: list[Any]
    ) -> None:
        self._steps, self._inputs, self._types = steps, inputs, types
        self._apply = apply
        self._check()
        self._keys = [self._known(position) for position in range(len(inputs))]
        self._example = list(example)
        for keys, at in zip(self._keys, inputs):
            self._example[at] = keys[0]

    def blocks(self, start: int) -> tuple[list[Block], int]:
        """A table for each input, for matrix columns from `start` on; and how many columns there are."""
        import numpy as np

        width = self._apply([self._example]).shape[1]
        self._bound(width)
        asked = [
            np.asarray(self._apply(self._rows(position)), dtype=np.float64)
            for position in range(len(self._inputs))
        ]
        special = [
            (self._ask(position, None), self._ask(position, self._unknown(position)))
            for position in range(len(self._inputs))
        ]
        owners = self._owners(asked, special, width)
        made = []
        for position, at in enumerate(self._inputs):
            columns = [column for column, owner in enumerate(owners) if owner == position]
            made.append(_block(at, self._keys[position], asked[position], special[position], columns, start))
        return made, width

    def _check(self) -> None:
        for step in self._steps:
            name = type(step).__name__
            if name not in COLUMNWISE and name not in ENCODERS:
                raise CannotCompile(
                    f"{name} stands beside an encoder, and is not among the transformers that are compiled there"
                )
            if name == "FunctionTransformer" and step.func is not None:
                raise CannotCompile("a FunctionTransformer calls a function of its own")

    def _known(self, position: int) -> list[Any]:
        """The values of a column that the branch has an opinion about."""
        found: dict[Any, None] = {}
        for step in self._steps:
            if type(step).__name__ in ENCODERS:
                if len(step.categories_) != len(self._inputs):
                    raise CannotCompile("an encoder does not get the columns as they come")
                found.update(
                    (value, None)
                    for value in map(_plain, step.categories_[position].tolist())
                    if not _missing(value)
                )
                break
            marker = _plain(getattr(step, "missing_values", None))
            if not _missing(marker):
                found[marker] = None
        fitting = [value for value in found if _fits(value, self._types[position])]
        if not fitting:
            raise CannotCompile("an encoder knows no value of the type that its column is declared to have")
        return fitting

    def _unknown(self, position: int) -> Any:
        kind, keys = self._types[position], self._keys[position]
        if kind == "string":
            return _UNKNOWN_TEXT
        if kind == "boolean":
            return next((value for value in (True, False) if value not in keys), None)
        beyond = max(keys) + 1
        return beyond if kind == "integer" else beyond + 0.5

    def _rows(self, position: int) -> list[list[Any]]:
        return [self._with(position, key) for key in self._keys[position]]

    def _with(self, position: int, value: Any) -> list[Any]:
        row = list(self._example)
        row[self._inputs[position]] = value
        return row

    def _ask(self, position: int, value: Any) -> Any:
        """What becomes of the value alone; None where the original refuses it."""
        import numpy as np

        try:
            return np.asarray(self._apply([self._with(position, value)]), dtype=np.float64)[0]
        except (ValueError, TypeError):
            return None

    def _bound(self, width: int) -> None:
        if width * sum(len(keys) for keys in self._keys) > _MOST_VALUES:
            raise CannotCompile(f"the categories make tables of {width} columns, too large to be worth it")

    def _owners(self, asked: list[Any], special: list[Any], width: int) -> list[int]:
        """For each column of the result, the position of the input that it depends on; the first where on none."""
        import numpy as np

        owners = [0] * width
        owned = np.zeros(width, dtype=bool)
        for position, values in enumerate(asked):
            seen = np.vstack([values, *(one for one in special[position] if one is not None)])
            varies = ~((seen == seen[0]) | (np.isnan(seen) & np.isnan(seen[0]))).all(axis=0)
            if (varies & owned).any():
                raise CannotCompile("a transformer mixes columns of categories")
            owned |= varies
            for column in np.flatnonzero(varies):
                owners[int(column)] = position
        return owners


def _block(at: int, keys: list[Any], values: Any, special: Any, columns: list[int], start: int) -> Block:
    missing, unknown = special
    return {
        "type": "table",
        "input": at,
        "keys": keys,
        "values": [_listed(row[columns]) for row in values],
        "missing": None if missing is None else _listed(missing[columns]),
        "unknown": None if unknown is None else _listed(unknown[columns]),
        "at": [start + column for column in columns],
    }


def _listed(row: Any) -> list[Any]:
    return [None if value != value else value for value in row.tolist()]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _missing(value: Any) -> bool:
    return value is None or value != value or type(value).__name__ == "NAType"


def _fits(value: Any, kind: str) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool) or value in (0, 1)
    return isinstance(value, (int, float)) and not isinstance(value, bool)
