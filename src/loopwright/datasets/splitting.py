"""Which rows are held out: decided by a hash, so that a row keeps its side as rows come, go and change their order.

By row, the hash is that of the row's content: equal rows land on one side. By a column it is that of its value: rows of
one customer land on one side. A row is held out where its hash, as a share of all hashes, lies below the wanted share;
so raising the share moves rows to test and none back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loopwright.datasets.findings import listed, percent
from loopwright.datasets.raw import Raw, counted
from loopwright.errors import StepFailed
from loopwright.observations.rows import row_hashes

BY_ROW = "row"
_FAR = 0.5  # a share that is off by more than this part of what was wanted is worth a warning


@dataclass(frozen=True)
class Split:
    """The rows that are held out, and what is worth a look."""

    test: NDArray[np.bool_]
    warnings: tuple[str, ...] = ()

    @property
    def test_rows(self) -> int:
        return int(self.test.sum())

    @property
    def train_rows(self) -> int:
        return int(self.test.size) - self.test_rows


def split(raw: Raw, hashes: NDArray[np.uint64], share: float, by: str) -> Split:
    """Hold out about `share` of the rows; `hashes` are those of the rows. Raises StepFailed where a side stays empty."""
    keys = hashes if by == BY_ROW else _column_hashes(raw, by)
    test = keys < np.uint64(min(int(share * 2**64), 2**64 - 1))
    made = Split(test, tuple(_warnings(raw, test, share, by)))
    for side, rows, advice in (("train on", made.train_rows, "Lower"), ("hold out", made.test_rows, "Raise")):
        if rows == 0:
            raise StepFailed(
                f"{raw.shown}: with split.test {percent(share)} by {by}, no row of {raw.rows:,} is left to {side}"
                f"{_groups(keys, by)}. {advice} split.test, choose another split.by, or bring more data."
            )
    return made


def _column_hashes(raw: Raw, by: str) -> NDArray[np.uint64]:
    if by not in raw.columns:
        raise StepFailed(
            f"{raw.shown}: there is no column {by!r}, which split.by names; use `row` or one of {listed(raw.columns)}."
        )
    return row_hashes(raw.frame()[[by]])


def _groups(keys: NDArray[np.uint64], by: str) -> str:
    return (
        "" if by == BY_ROW else f" (the column has {counted(int(np.unique(keys).size), 'different value')})"
    )


def _warnings(raw: Raw, test: NDArray[np.bool_], share: float, by: str) -> Iterator[str]:
    found = float(test.mean())
    if abs(found - share) > _FAR * min(share, 1 - share):
        yield f"{percent(found)} of the rows are held out where split.test is {percent(share)}: there are few rows, or few values of {by!r}."
    if by != BY_ROW and (lacking := raw.columns[by].null_count):
        yield f"{counted(lacking, 'row')} without a value of {by!r} are kept together on one side of the split."
