"""Trees as arrays to masks of leaves, which NumPy alone can look up: what scoring/compiled_masks.py reads.

Why: for deep forests over few columns that is about three times as fast as ONNX Runtime, needs no ONNX Runtime in the
front, and adds the same numbers in the same order. Shallow trees, many columns or very many distinct thresholds are better
off as a graph (tree_graph.py): which is which is told by what either costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from loopwright.packaging.tree_graph import Array, Described, Forest, plain_votes
from loopwright.scoring.compiled_masks import BITS, LEAVES, MASKS, THRESHOLDS

_MOST_BYTES = 16 * 2**20  # of masks: beyond a processor's cache looking them up is no quicker than walking
_MOST_COMBINED = 512  # rows of a lookup of several columns
_MOST_COMPARED = 24  # thresholds of a column that is compared with each of them
# Nanoseconds that a row costs in either form, measured beside ONNX Runtime in batches of 16.
_A_TREE, _A_WORD, _A_GATHERED_WORD, _A_LOOKUP, _A_STEP = 10.0, 0.9, 0.3, 100.0, 7.0


class _Tree(NamedTuple):
    """A tree whose leaves are numbered from left to right: those of a node are low..high, of its left child low..middle."""

    nodes: slice  # in the forest's arrays
    low: Array
    middle: Array
    high: Array
    depth: float  # of its leaves, on average

    @property
    def leaves(self) -> int:
        return int(self.high[0])

    @property
    def words(self) -> int:
        return -(-self.leaves // BITS)


class _Column(NamedTuple):
    """A column of the matrix that trees split on."""

    at: int
    thresholds: Array  # ascending
    gaps: bool  # what is missing needs an interval of its own, the last

    @property
    def intervals(self) -> int:
        return len(self.thresholds) + 1


def write(
    forest: Forest, described: Described, missing: Sequence[bool], folder: Path
) -> dict[str, Any] | None:
    """Write the files of a head, and return the head as plan.json has it; None where a graph is better.

    `missing` says of each column of the matrix whether it may hold NaN.
    """
    scores = int(forest.targets.max()) + 1
    if len(set(np.bincount(forest.targets).tolist())) > 1:
        return None
    forest = _by_score(forest)
    forest = forest._replace(threshold=_inclusive(forest.threshold, described))
    columns = _columns(forest, missing)
    trees = list(_numbered(forest))
    lookups = _lookups(columns)
    if not lookups or not _worthwhile(lookups, trees):
        return None
    tables = [_combined([_masks(forest, trees, column) for column in lookup]) for lookup in lookups]
    np.save(folder / MASKS, np.concatenate(tables))
    np.save(
        folder / THRESHOLDS, np.concatenate([column.thresholds for lookup in lookups for column in lookup])
    )
    leaves = _leaves(forest, trees, described)
    np.save(folder / LEAVES, leaves)
    return {
        "type": "masks",
        "lookups": [_described(lookup) for lookup in lookups],
        "trees": len(trees),
        "scores": scores,
        "rounded": described.rounded or described.precision == "single",
        "tie": leaves.shape[1] == 2,
        "divisor": described.divisor,
    }


def _by_score(forest: Forest) -> Forest:
    """The trees in the order of the scores that they add to; those of one score stay in their order."""
    order = np.argsort(forest.targets, kind="stable")
    starts = np.cumsum(forest.sizes) - forest.sizes
    nodes = np.concatenate([np.arange(starts[tree], starts[tree] + forest.sizes[tree]) for tree in order])
    of_nodes = {name: getattr(forest, name)[nodes] for name in Forest._fields[:6]}
    return Forest(**of_nodes, sizes=forest.sizes[order], targets=forest.targets[order])


def _inclusive(thresholds: Array, described: Described) -> Array:
    """Thresholds of which `x <= threshold` goes left, in 64 bits: x < t holds just where x is at most the number before t."""
    kind = np.float32 if described.precision == "single" else np.float64
    bounds = thresholds.astype(kind)
    if described.mode == "lt":
        bounds = np.nextafter(bounds, kind(-np.inf))
    return bounds.astype(np.float64)


def _columns(forest: Forest, missing: Sequence[bool]) -> list[_Column]:
    inner = forest.left >= 0
    made = []
    for at in np.unique(forest.feature[inner]).tolist():
        here = inner & (forest.feature == at)
        thresholds = np.unique(forest.threshold[here])
        gaps = missing[at] and bool(forest.missing[here].any())
        if gaps:  # behind infinity there is nothing but NaN
            thresholds = np.unique(np.append(thresholds, np.inf))
        made.append(_Column(at, thresholds, gaps))
    return made


def _numbered(forest: Forest) -> Iterator[_Tree]:
    end = 0
    for size in forest.sizes.tolist():
        nodes, end = slice(end, end + size), end + size
        yield _tree(nodes, forest.left[nodes].tolist(), forest.right[nodes].tolist())


def _tree(nodes: slice, left: list[int], right: list[int]) -> _Tree:
    low, middle, high = ([0] * len(left) for _ in range(3))
    order, ahead, leaves, depths = [], [(0, 0)], 0, 0
    while ahead:
        node, depth = ahead.pop()
        order.append(node)
        low[node] = leaves
        if left[node] < 0:
            leaves, depths = leaves + 1, depths + depth
        else:
            ahead += [(right[node], depth + 1), (left[node], depth + 1)]
    for node in reversed(order):
        inner = left[node] >= 0
        middle[node] = low[right[node]] if inner else 0
        high[node] = high[right[node]] if inner else low[node] + 1
    return _Tree(nodes, np.array(low), np.array(middle), np.array(high), depths / leaves)


def _lookups(columns: Sequence[_Column]) -> list[list[_Column]]:
    """Columns of few intervals together, all others alone."""
    few = [one for one in columns if not one.gaps and len(one.thresholds) <= _MOST_COMPARED]
    made: list[list[_Column]] = []
    for column in sorted(few, key=lambda one: (one.intervals, one.at)):
        if made and prod(one.intervals for one in made[-1]) * column.intervals <= _MOST_COMBINED:
            made[-1].append(column)
        else:
            made.append([column])
    return made + [[column] for column in columns if column not in few]


def _worthwhile(lookups: Sequence[Sequence[_Column]], trees: Sequence[_Tree]) -> bool:
    words = sum(tree.words for tree in trees)
    rows = sum(prod(column.intervals for column in lookup) for lookup in lookups)
    of_words = words * (_A_WORD + _A_GATHERED_WORD * len(lookups))
    as_masks = len(trees) * _A_TREE + len(lookups) * _A_LOOKUP + of_words
    as_graph = sum(tree.depth for tree in trees) * _A_STEP
    return rows * words * BITS / 8 <= _MOST_BYTES and as_masks <= as_graph


def _masks(forest: Forest, trees: Sequence[_Tree], column: _Column) -> Array:
    """For each interval the leaves that a value in it does not rule out: intervals x words."""
    return np.hstack([_of_tree(forest, tree, column) for tree in trees])


def _of_tree(forest: Forest, tree: _Tree, column: _Column) -> Array:
    left, feature = forest.left[tree.nodes], forest.feature[tree.nodes]
    nodes = np.flatnonzero((left >= 0) & (feature == column.at))
    upto = column.thresholds.searchsorted(
        forest.threshold[tree.nodes][nodes]
    )  # the last interval that goes left
    by_left, by_right, gone = (np.zeros((column.intervals, tree.words * BITS), dtype=bool) for _ in range(3))
    for node, interval in zip(nodes.tolist(), upto.tolist(), strict=True):
        by_left[interval, tree.middle[node] : tree.high[node]] = True
        by_right[interval + 1, tree.low[node] : tree.middle[node]] = True
    gone = np.logical_or.accumulate(by_left[::-1])[::-1] | np.logical_or.accumulate(by_right)
    if column.gaps:
        gone[-1] = _ruled_out_by_gap(forest, tree, nodes)
    gone[:, tree.leaves :] = True
    return np.packbits(~gone, axis=1, bitorder="little").view(np.dtype("<u8"))


def _ruled_out_by_gap(forest: Forest, tree: _Tree, nodes: Array) -> Array:
    gone = np.zeros(tree.words * BITS, dtype=bool)
    for node, goes_left in zip(nodes.tolist(), forest.missing[tree.nodes][nodes].tolist(), strict=True):
        first, last = (tree.middle, tree.high) if goes_left else (tree.low, tree.middle)
        gone[first[node] : last[node]] = True
    return gone


def _combined(masks: Sequence[Array]) -> Array:
    """Masks for all combinations of the columns' intervals; columns that are compared count theirs from the highest."""
    first, *others = masks if len(masks) == 1 else [one[::-1] for one in masks]
    for other in others:
        first = (first[:, None] & other[None]).reshape(-1, first.shape[1])
    return first


def _described(lookup: Sequence[_Column]) -> dict[str, Any]:
    return {
        "columns": [column.at for column in lookup],
        "thresholds": [len(column.thresholds) for column in lookup],
        "compared": len(lookup) > 1,
    }


def _leaves(forest: Forest, trees: Sequence[_Tree], described: Described) -> Array:
    """What each leaf holds where its bit is; of two classes only the second's share, if shares add up without rounding."""
    values = forest.values[:, 1:] if forest.values.shape[1] == 2 and plain_votes(forest) else forest.values
    kind = np.float32 if described.precision == "single" else np.float64
    made = np.zeros((sum(tree.words for tree in trees) * BITS, values.shape[1]), dtype=kind)
    begin = 0
    for tree in trees:
        leaves = np.flatnonzero(forest.left[tree.nodes] < 0)
        made[begin + tree.low[leaves]] = values[tree.nodes][leaves]
        begin += tree.words * BITS
    return made
