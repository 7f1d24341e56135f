"""Trees as arrays to ONNX: one TreeEnsemble of `ai.onnx.ml` 5, in 64 bits but for XGBoost.

That operator compares and sums in the type of its input, so thresholds stay what they are and sums are the original's,
bit by bit and in its order. The converters of the libraries write the older operators, which sum in 32 bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_LEQ, _LESS = 0, 1  # node modes of the operator
_SUM = 1
_WHOLE = 2**23  # up to here 32 bits hold every whole number, and halves
_OPSETS = (("", 21), ("ai.onnx.ml", 5))
_IR = 10


class Described(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes with the arrays."""

    precision: str  # double or single
    mode: str  # what goes left: leq, or lt
    rounded: bool  # the original sees its input in single precision
    divisor: float


class Forest(NamedTuple):
    """The arrays of trees.npz; nodes are numbered within their trees, `left` of a leaf is -1."""

    feature: Array
    threshold: Array
    left: Array
    right: Array
    missing: Array  # whether what is missing goes left
    values: Array  # nodes x (1, or classes)
    sizes: Array  # nodes of each tree
    targets: Array  # of each tree: the score that it adds to


def read(path: Path) -> Forest:
    """What the conversion wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return Forest(*(arrays[name] for name in Forest._fields))


def write(forest: Forest, described: Described, width: int, folder: Path) -> dict[str, Any]:
    """Write the files of a head, and return the head as plan.json has it."""
    shares = forest.values.shape[1]
    if shares == 1:
        return _sums(forest, 0, described, width, folder)
    if shares > 2:
        return _leaves(forest, described, width, folder)
    if plain_votes(forest) and described.rounded:
        return _sums(
            _in_single(forest), 1, msgspec.structs.replace(described, precision="single"), width, folder
        )
    head = _sums(forest, 1, described, width, folder)
    if not plain_votes(forest):
        other = _graph(forest, forest.values[:, 0], forest.targets, described, width)
        (folder / "other.onnx").write_bytes(other)
        head["tie"] = "other.onnx"
    return head


def _sums(forest: Forest, column: int, described: Described, width: int, folder: Path) -> dict[str, Any]:
    """A head that adds up one column of what the leaves hold."""
    graph = _graph(forest, forest.values[:, column], forest.targets, described, width)
    return _head(graph, described, folder)


def _leaves(forest: Forest, described: Described, width: int, folder: Path) -> dict[str, Any]:
    """A head that says which leaves there are, whose values NumPy adds up."""
    leaves = forest.left < 0
    if described.rounded and int(leaves.sum()) < _WHOLE:
        forest, described = _in_single(forest), msgspec.structs.replace(described, precision="single")
    graph = _graph(forest, np.cumsum(leaves) - 1.0, np.arange(len(forest.sizes)), described, width)
    np.save(folder / "leaves.npy", forest.values[leaves])
    return _head(graph, described, folder) | {"leaves": "leaves.npy"}


def _head(graph: bytes, described: Described, folder: Path) -> dict[str, Any]:
    (folder / "trees.onnx").write_bytes(graph)
    return {
        "type": "onnx",
        "file": "trees.onnx",
        "precision": described.precision,
        "rounded": described.rounded and described.precision == "double",
        "divisor": described.divisor,
    }


def _in_single(forest: Forest) -> Forest:
    """The same splits for input that is rounded to 32 bits: x <= t holds just where x <= the greatest such number up to t.

    Smaller nodes are quicker to walk. What the leaves hold must be whole, or halves, and their sums below 2**23.
    """
    single = forest.threshold.astype(np.float32)
    above = single.astype(np.float64) > forest.threshold
    single[above] = np.nextafter(single[above], np.float32(-np.inf))
    return forest._replace(threshold=single)


def plain_votes(forest: Forest) -> bool:
    """Whether every leaf is for one class alone, or for none: then shares add up without rounding."""
    votes = forest.values[forest.left < 0]
    return bool(np.isin(votes, (0.0, 0.5, 1.0)).all())


def _graph(forest: Forest, weights: Array, targets: Array, described: Described, width: int) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    kind = np.float64 if described.precision == "double" else np.float32
    of = TensorProto.DOUBLE if described.precision == "double" else TensorProto.FLOAT
    scores = int(targets.max()) + 1
    nodes = _nodes(forest, weights, targets)
    inner = nodes["inner"]
    modes = np.full(len(inner), _LEQ if described.mode == "leq" else _LESS, dtype=np.uint8)
    node = helper.make_node(
        "TreeEnsemble",
        ["X"],
        ["scores"],
        domain="ai.onnx.ml",
        n_targets=scores,
        aggregate_function=_SUM,
        post_transform=0,
        tree_roots=nodes["roots"],
        nodes_modes=numpy_helper.from_array(modes),
        nodes_featureids=forest.feature[inner].tolist(),
        nodes_splits=numpy_helper.from_array(nodes["splits"].astype(kind)),
        nodes_missing_value_tracks_true=nodes["missing"],
        nodes_truenodeids=nodes["true"],
        nodes_trueleafs=nodes["true_leaf"],
        nodes_falsenodeids=nodes["false"],
        nodes_falseleafs=nodes["false_leaf"],
        leaf_targetids=nodes["targets"],
        leaf_weights=numpy_helper.from_array(nodes["weights"].astype(kind)),
    )
    graph = helper.make_graph(
        [node],
        "trees",
        [helper.make_tensor_value_info("X", of, [None, width])],
        [helper.make_tensor_value_info("scores", of, [None, scores])],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR, producer_name="loopwright")
    return bytes(model.SerializeToString())


def _nodes(forest: Forest, weights: Array, targets: Array) -> dict[str, Any]:
    """The operator's numbering: inner nodes and leaves by themselves, each over all trees."""
    starts = np.concatenate([[0], np.cumsum(forest.sizes)[:-1]])
    offset = np.repeat(starts, forest.sizes)
    left, right = forest.left + offset, forest.right + offset
    alone = _alone(forest, starts)
    left[alone] = right[alone] = alone  # a tree of one leaf: a split that ends in it either way
    is_leaf = forest.left < 0
    is_inner = ~is_leaf
    is_inner[alone] = True
    inner, leaves = np.flatnonzero(is_inner), np.flatnonzero(is_leaf)
    inner_at, leaf_at = np.cumsum(is_inner) - 1, np.cumsum(is_leaf) - 1
    to_left, to_right = left[inner], right[inner]

    def ids(to: Array) -> list[int]:
        return np.where(is_leaf[to], leaf_at[to], inner_at[to]).tolist()  # type: ignore[no-any-return]

    splits, missing = forest.threshold[inner], forest.missing[inner].astype(np.int64).tolist()
    return {
        "inner": inner,
        "roots": inner_at[starts].tolist(),
        "splits": splits,
        "missing": missing,
        "true": ids(to_left),
        "true_leaf": is_leaf[to_left].astype(np.int64).tolist(),
        "false": ids(to_right),
        "false_leaf": is_leaf[to_right].astype(np.int64).tolist(),
        "targets": np.repeat(targets, forest.sizes)[leaves].tolist(),
        "weights": weights[leaves],
    }


def _alone(forest: Forest, starts: Array) -> Array:
    """The roots that are leaves."""
    found: Array = starts[forest.left[starts] < 0]
    return found
