"""A source file as it was read: every value still as the file has it, nothing converted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from loopwright.errors import StepFailed

Format = Literal["csv", "parquet"]

_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Raw:
    """Rows of a file. In CSV every column is text and an empty field is missing; Parquet brings its own types."""

    path: Path
    shown: str  # the file's name in messages
    format: Format
    columns: Mapping[str, pa.Array]
    starts: NDArray[np.int64] | None = None  # CSV: the line that each row begins on, counted from 1

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))

    def frame(self) -> pd.DataFrame:
        """The rows as a data frame, values as they are."""
        frame: pd.DataFrame = pa.table(dict(self.columns)).to_pandas()
        return frame

    def place(self, row: int) -> str:
        """Where a row stands, for people: its line in a CSV file, its number from 1 in a Parquet file."""
        return f"line {self.starts[row]}" if self.starts is not None else f"row {row + 1}"

    def places(self, rows: Iterable[int]) -> str:
        """Several rows: `lines 5, 9, 12`."""
        found = [self.place(int(row)) for row in rows]
        kind = found[0].split()[0]
        return found[0] if len(found) == 1 else f"{kind}s {', '.join(place.split()[1] for place in found)}"

    def example(self, column: str, row: int) -> str:
        """A value with its place: `line 7 'abc'`."""
        return f"{self.place(row)} {shorten(self.columns[column][row].as_py())}"


def shorten(value: Any) -> str:
    """A value as people read it in a message: text in quotes, long text cut."""
    shown = repr(value) if isinstance(value, str) else str(value)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."


def check_names(names: Sequence[str], shown: str, where: str) -> None:
    """Refuse columns without a name and names that occur twice: no tool agrees with another on what they mean."""
    for number, name in enumerate(names, start=1):
        if not name.strip():
            raise StepFailed(
                f"{shown}{where}: column {number} has no name. If it is a saved row index, save without it "
                "(to_csv(index=False)); else give it a name."
            )
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise StepFailed(
            f"{shown}{where}: the column name {twice[0]!r} occurs {list(names).count(twice[0])} times, expected once; rename one."
        )


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 row`, `1,317 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
