"""Trees as masks of leaves, beside a walk from node to node."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from loopwright.packaging import tree_head, tree_masks
from loopwright.packaging.tree_graph import Described, Forest
from loopwright.scoring import compiled_masks
from loopwright.scoring.compiled_plan import Masks, Numbers, Step, Table

COLUMNS = 4
THRESHOLDS = (-1.0, 0.0, 0.1, float(np.float32(0.1)), 2.5, 7.0)


@pytest.fixture(scope="module", autouse=True)
def masks_are_cheaper() -> Iterator[None]:
    """As for trees so small as these they are not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree_masks, "_A_STEP", 1e6)
        yield


def grown(chance: random.Random, splits: int, shares: int) -> dict[str, list[Any]]:
    """A tree that grew by splitting any of its leaves; a column has many thresholds or few."""
    tree: dict[str, list[Any]] = {name: [] for name in Forest._fields[:6]}

    def leaf() -> int:
        tree["left"].append(-1)
        tree["right"].append(-1)
        tree["feature"].append(0)
        tree["threshold"].append(0.0)
        tree["missing"].append(False)
        tree["values"].append([chance.choice([0.0, 0.5, 1.0, 0.1, 1 / 3]) for _ in range(shares)])
        return len(tree["left"]) - 1

    leaves = [leaf()]
    for _ in range(splits):
        node = leaves.pop(chance.randrange(len(leaves)))
        left, right = leaf(), leaf()
        leaves += [left, right]
        column = chance.randrange(COLUMNS)
        tree["left"][node], tree["right"][node] = left, right
        tree["feature"][node] = column
        tree["threshold"][node] = chance.uniform(-1, 9) if column == 0 else chance.choice(THRESHOLDS)
        tree["missing"][node] = chance.random() < 0.5
    return tree


def forest_of(chance: random.Random, count: int, splits: int, shares: int, scores: int) -> Forest:
    trees = [grown(chance, chance.randint(0, splits), shares) for _ in range(count * scores)]
    arrays = {name: np.concatenate([np.array(tree[name]) for tree in trees]) for name in Forest._fields[:6]}
    sizes = np.array([len(tree["left"]) for tree in trees])
    return Forest(**arrays, sizes=sizes, targets=np.arange(len(trees)) % scores)


def walked(forest: Forest, described: Described, row: Any, scores: int) -> Any:
    """What the leaves of a row hold, added tree by tree."""
    kind = np.float32 if described.precision == "single" else np.float64
    seen = row.astype(np.float32).astype(np.float64) if described.rounded else row
    sums = np.zeros((scores, forest.values.shape[1]), dtype=kind)
    for end, size, target in zip(np.cumsum(forest.sizes), forest.sizes, forest.targets, strict=True):
        node = start = end - size
        while forest.left[node] >= 0:
            value, bound = seen[forest.feature[node]], kind(forest.threshold[node])
            left = value < bound if described.mode == "lt" else value <= bound
            left = bool(forest.missing[node]) if np.isnan(value) else bool(left)
            node = start + (forest.left[node] if left else forest.right[node])
        sums[target] += forest.values[node].astype(kind)
    return sums


def rows_for(forest: Forest, described: Described, chance: random.Random) -> Any:
    """At thresholds, beside them, missing, infinite and anywhere: more than are looked up at once."""
    kind = np.float32 if described.rounded else np.float64
    at = [float(value) for value in forest.threshold]
    beside = [float(np.nextafter(kind(value), kind(end))) for value in at for end in (-np.inf, np.inf)]

    def value() -> float:
        far = chance.choice([np.nan, np.inf, -np.inf, -0.0, chance.uniform(-2, 10)])
        return float(chance.choice([chance.choice(at), chance.choice(beside), far]))

    return np.array([[value() for _ in range(COLUMNS)] for _ in range(70)])


@given(
    st.integers(0, 2**32),
    st.sampled_from([("double", "leq", True), ("double", "leq", False), ("single", "lt", True), ("double", "lt", False)]),
    st.sampled_from([(1, 1), (1, 3), (3, 1)]),
)  # fmt: skip
@settings(max_examples=25, deadline=None, phases=[Phase.generate])  # a smaller forest would tell no more
def test_the_same_numbers_are_added_in_the_same_order(
    tmp_path_factory: pytest.TempPathFactory, seed: int, of: tuple[str, str, bool], shape: tuple[int, int]
) -> None:
    chance, folder, (shares, scores) = random.Random(seed), tmp_path_factory.mktemp("masks"), shape
    described = Described(precision=of[0], mode=of[1], rounded=of[2], divisor=1.0)
    forest = forest_of(chance, 12, 90, shares, scores)
    head = tree_masks.write(forest, described, [True] * COLUMNS, folder)
    if head is None:
        assert not (forest.left >= 0).any()  # nothing to look up
        return
    rows = rows_for(forest, described, chance)
    found = compiled_masks.make(msgspec.convert(head, Masks), folder)(rows)
    expected = np.array([walked(forest, described, row, scores).reshape(-1) for row in rows])
    assert found.tolist() == expected.tolist()
    assert (
        compiled_masks.make(msgspec.convert(head, Masks), folder)(rows[:1]).tolist() == expected[:1].tolist()
    )


def test_columns_that_miss_nothing_are_looked_up_together(tmp_path: Path) -> None:
    chance = random.Random(3)
    described = Described(precision="double", mode="leq", rounded=False, divisor=4.0)
    forest = forest_of(chance, 4, 60, 2, 1)
    head = tree_masks.write(forest, described, [False] * COLUMNS, tmp_path)
    assert head is not None
    assert [lookup["columns"] for lookup in head["lookups"]] == [[1, 2, 3], [0]]
    rows = np.nan_to_num(rows_for(forest, described, chance), nan=0.05)
    found = compiled_masks.make(msgspec.convert(head, Masks), tmp_path)(rows)[:, 0]
    sums = np.array([walked(forest, described, row, 1)[0] for row in rows]) / 4.0
    apart = np.abs(sums[:, 1] - 0.5) > 1e-9
    assert found[apart].tolist() == sums[apart, 1].tolist()
    assert (found[~apart] > 0.5).tolist() == (sums[~apart, 1] > sums[~apart, 0]).tolist()


@pytest.mark.parametrize("why", ["size", "scores"])
def test_other_trees_become_a_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    forest = forest_of(random.Random(1), 3, 40, 1, 1)
    if why == "size":
        monkeypatch.setattr(tree_masks, "_MOST_BYTES", 1000)
    else:
        forest = forest._replace(targets=np.array([0, 0, 1]))
    described = Described(precision="double", mode="leq", rounded=False, divisor=1.0)
    block = {"type": "numbers", "inputs": list(range(COLUMNS)), "at": list(range(COLUMNS))}
    head = tree_head.write(forest, described, {"width": COLUMNS, "blocks": [block]}, COLUMNS, tmp_path)
    assert head["type"] == "onnx"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trees.onnx"]


def test_which_columns_may_miss_a_value() -> None:
    fill = Step(op="fill", values=(1.0, None))
    numbers = Numbers(inputs=(0, 1), steps=(fill, Step(op="indicate", at=(1,))), at=(0, 1, 2))
    table = Table(input=2, keys=("a",), values=((1.0, 2.0),), missing=(None, 1.0), unknown=None, at=(3, 4))
    assert tree_head.with_gaps(5, [numbers, table], []) == [False, True, False, True, False]
    take = Step(op="take", at=(1, 4))
    assert tree_head.with_gaps(5, [numbers, table], [take]) == [True, False]
    assert tree_head.with_gaps(5, [numbers, table], [take, Step(op="unset")]) == [True, True]
