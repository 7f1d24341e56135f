"""Trees without walking them: the leaf that a row falls into is what no condition rules out.

Each tree's leaves are bits, 64 in a word. A column's value rules out, in all trees at once, the leaves that lie behind the
other side of each split on that column; which ones depends on the interval between thresholds that it stands in alone, so
packaging writes a mask of what is left for each interval. The masks of all columns, joined by AND, leave one bit in each tree.
That is a few calls of NumPy over all rows, and no branch for a processor to guess wrongly: faster than ONNX Runtime's walk
for forests whose masks fit into its cache. After QuickScorer (Lucchese et al., SIGIR 2015), with the masks of a whole interval
instead of single splits, and with both sides ruled out so that one bit is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from loopwright.scoring.compiled_inputs import Matrix
from loopwright.scoring.compiled_plan import Lookup, Masks

MASKS = "masks.npy"  # rows of all lookups x words, uint64
THRESHOLDS = "thresholds.npy"  # of all lookups' columns, ascending in each, float64
LEAVES = "leaves.npy"  # words * 64 x shares; one number, or one for each class; in the precision of the sums

BITS = 64  # of a word

_AT_ONCE = 64  # rows; more do not fit into the processor's cache
_NEAR = 1e-9  # two shares of a forest's votes may be equal but for rounding
_EXPONENT = 52  # where a 64-bit float's exponent begins
_BIAS = 1023

_Array = npt.NDArray[Any]
_Find = Callable[[Matrix], _Array]


def make(head: Masks, folder: Path) -> Callable[[Matrix], _Array]:
    """A function from the matrix to scores, one column for each."""
    find, leaves = _leaf_finder(head, folder), np.load(folder / LEAVES, allow_pickle=False)
    add = _shares_of_two(head, leaves) if head.tie else _sums(head, leaves)

    def score(matrix: Matrix) -> _Array:
        seen = rounded(matrix) if head.rounded else matrix
        return add(find(seen).reshape(len(matrix), head.trees))

    def in_slices(matrix: Matrix) -> _Array:
        if len(matrix) <= _AT_ONCE:
            return score(matrix)
        starts = range(0, len(matrix), _AT_ONCE)
        return np.concatenate([score(matrix[start : start + _AT_ONCE]) for start in starts])

    return in_slices


def rounded(matrix: Matrix) -> Matrix:
    """The matrix as it is seen in single precision, in double."""
    return matrix.astype(np.float32).astype(np.float64)


def _leaf_finder(head: Masks, folder: Path) -> Callable[[Matrix], _Array]:
    """A function from at most `_AT_ONCE` rows to the leaves they fall into, tree by tree: positions in leaves.npy."""
    masks = np.asarray(np.load(folder / MASKS, mmap_mode="r", allow_pickle=False))  # shared by all fronts
    first, *others = _gathers(head.lookups, masks, np.load(folder / THRESHOLDS, allow_pickle=False))
    begin = np.arange(_AT_ONCE).repeat(head.trees) * masks.shape[1] * BITS + _BIAS  # taken from what is found

    def find(matrix: Matrix) -> npt.NDArray[np.intp]:
        left = first(matrix)
        for gather in others:
            left &= gather(matrix)
        left = left.reshape(-1)
        found: npt.NDArray[np.intp] = (left != 0).nonzero()[0]  # of booleans it is quicker
        # What is left is a power of two: as a float, its exponent tells which.
        bits = left.take(found).astype(np.float64).view(np.int64)
        bits >>= _EXPONENT
        found *= BITS
        found += bits
        found -= begin[: len(found)]
        return found

    return find


def _gathers(
    lookups: Sequence[Lookup], masks: _Array, thresholds: _Array
) -> list[Callable[[Matrix], _Array]]:
    """For each lookup a function from the matrix to its masks, one row for each."""
    made, row, at = [], 0, 0
    for lookup in lookups:
        rows = prod(number + 1 for number in lookup.thresholds)
        bounds, table = thresholds[at : at + sum(lookup.thresholds)], masks[row : row + rows]
        made.append((_compared if lookup.compared else _searched)(lookup, bounds, table))
        row, at = row + rows, at + len(bounds)
    return made


def _searched(lookup: Lookup, bounds: _Array, table: _Array) -> Callable[[Matrix], _Array]:
    (column,) = lookup.columns
    return lambda matrix: table.take(bounds.searchsorted(matrix[:, column]), axis=0)


def _compared(lookup: Lookup, bounds: _Array, table: _Array) -> Callable[[Matrix], _Array]:
    columns = np.repeat(lookup.columns, lookup.thresholds)
    sizes = [number + 1 for number in lookup.thresholds]
    strides = [prod(sizes[at + 1 :]) for at in range(len(sizes))]
    weights = np.repeat(np.array(strides, dtype=np.float64), lookup.thresholds)

    def gather(matrix: Matrix) -> _Array:
        below = matrix.take(columns, axis=1) <= bounds
        return table.take((below @ weights).astype(np.intp), axis=0)

    return gather


def _sums(head: Masks, leaves: _Array) -> Callable[[_Array], _Array]:
    """A function from leaves, rows x trees, to scores; trees are added in their order, as the original does."""
    if leaves.shape[1] > 1:
        return lambda found: leaves[found].sum(axis=1) / head.divisor  # shares of many classes
    values = leaves[:, 0]

    def sums(found: _Array) -> _Array:
        made = _added(values.take(found).reshape(len(found), head.scores, -1))
        return made if head.divisor == 1.0 else made.astype(np.float64) / head.divisor

    return sums


def _shares_of_two(head: Masks, leaves: _Array) -> Callable[[_Array], _Array]:
    first, second = np.ascontiguousarray(leaves.T)

    def shares(found: _Array) -> _Array:
        share = _added(second.take(found)) / head.divisor
        return decided(share, lambda near: _added(first.take(found[near])) / head.divisor)[:, None]

    return shares


def _added(values: _Array) -> _Array:
    """Sums over the last axis, one number after the other: NumPy's sum adds in another order."""
    made: _Array = np.add.accumulate(values, axis=-1)[..., -1]
    return made


def decided(share: _Array, against: Callable[[_Array], _Array]) -> _Array:
    """Shares of one class of two; where it is nearly a half the other's, rounded as in the original, decides on which side."""
    apart = np.abs(share - 0.5)
    if apart.min() < _NEAR:
        near = apart < _NEAR
        above = share[near] > against(near)
        share[near] = np.where(
            above, np.nextafter(np.maximum(share[near], 0.5), 1.0), np.minimum(share[near], 0.5)
        )
    return share
