"""The matrix of a compiled model to scores: by ONNX Runtime, or for linear models by NumPy.

ONNX Runtime is imported only where a plan needs it: it is most of a compiled model's start.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from loopwright.scoring import compiled_masks
from loopwright.scoring import compiled_plan as plans
from loopwright.scoring.compiled_inputs import Matrix
from loopwright.scoring.compiled_plan import Onnx

Scores = npt.NDArray[Any]
Head = Callable[[Matrix], Scores]

ACTIVATIONS: dict[str, Callable[[Scores], Scores]] = {
    "identity": lambda values: values,
    "logistic": lambda values: 1.0 / (1.0 + np.exp(-np.maximum(values, -700.0))),
    "tanh": np.tanh,
    "relu": lambda values: np.maximum(values, 0.0),
}


def make(head: plans.Head, folder: Path) -> Head:
    """A function from the matrix to scores, one column for each."""
    if isinstance(head, plans.Linear):
        return _linear(head)
    if isinstance(head, plans.Kernel):
        return _kernel(head)
    if isinstance(head, plans.Layers):
        return _layers(head)
    if isinstance(head, plans.Masks):
        return compiled_masks.make(head, folder)
    return _onnx(head, folder)


def greatest(head: plans.Head) -> float:
    """The greatest number that the head can hold."""
    single = isinstance(head, Onnx | plans.Masks) and (
        head.rounded or (isinstance(head, Onnx) and head.precision == "single")
    )
    return float(np.finfo(np.float32 if single else np.float64).max)


def _linear(head: plans.Linear) -> Head:
    coefficients = np.ascontiguousarray(np.array(head.coefficients, dtype=np.float64).T)
    intercepts = np.array(head.intercepts, dtype=np.float64)
    return lambda matrix: matrix @ coefficients + intercepts


def _kernel(head: plans.Kernel) -> Head:
    vectors = np.ascontiguousarray(np.array(head.vectors, dtype=np.float64).T)
    weights = np.ascontiguousarray(np.array(head.weights, dtype=np.float64).T)
    intercepts, lengths = np.array(head.intercepts), np.square(vectors).sum(axis=0)
    gamma, constant, degree = head.gamma, head.constant, head.degree

    def similar(matrix: Matrix) -> Scores:
        made: Scores = matrix @ vectors
        if head.kernel == "rbf":
            distances = np.square(matrix).sum(axis=1)[:, None] + lengths - 2.0 * made
            made = np.exp(-gamma * np.maximum(distances, 0.0))
        elif head.kernel == "poly":
            made = np.power(gamma * made + constant, degree)
        elif head.kernel == "sigmoid":
            made = np.tanh(gamma * made + constant)
        return made

    return lambda matrix: similar(matrix) @ weights + intercepts


def _layers(head: plans.Layers) -> Head:
    activate = ACTIVATIONS[head.activation]
    layers = [(np.array(one.weights, dtype=np.float64), np.array(one.biases)) for one in head.layers]
    *inner, (last, biases) = layers

    def score(matrix: Matrix) -> Scores:
        for weights, bias in inner:
            matrix = activate(matrix @ weights + bias)
        made: Scores = matrix @ last + biases
        return made

    return score


def _onnx(head: Onnx, folder: Path) -> Head:
    run = _session(folder / head.file)
    if head.leaves:
        return _leaves(head, folder, run)
    if head.tie:
        return _votes(head, run, _session(folder / head.tie))
    if head.divisor != 1.0:  # divided in 64 bits, whatever the sums are in
        return lambda matrix: run(_as_seen(head, matrix)).astype(np.float64) / head.divisor
    return lambda matrix: run(_as_seen(head, matrix))


def _as_seen(head: Onnx, matrix: Matrix) -> Scores:
    """The matrix as the original sees it, in the type that the file takes."""
    if head.precision == "single":
        return matrix.astype(np.float32)
    return compiled_masks.rounded(matrix) if head.rounded else matrix


def _leaves(head: Onnx, folder: Path, run: Head) -> Head:
    """Sums over trees of what their leaves hold, in the order of the trees: the same sums as the original's."""
    values = np.load(folder / head.leaves, allow_pickle=False)

    def score(matrix: Matrix) -> Scores:
        found = run(_as_seen(head, matrix)).astype(np.intp)
        summed: Scores = values[found].sum(axis=1)
        return summed / head.divisor

    return score


def _votes(head: Onnx, run: Head, other: Head) -> Head:
    """The share of one class of two. Where it is nearly a half, that of the other decides, rounded as in the original."""

    def score(matrix: Matrix) -> Scores:
        seen = _as_seen(head, matrix)
        share = run(seen)[:, 0] / head.divisor
        return compiled_masks.decided(
            share, lambda near: other(np.ascontiguousarray(seen[near]))[:, 0] / head.divisor
        )[:, None]

    return score


def _session(file: Path) -> Head:
    session = _load(file)
    wanted = [session.get_outputs()[0].name]

    def run(matrix: Matrix) -> Scores:
        scores: Scores = session.run(wanted, {"X": matrix})[0]
        return scores

    return run


def _load(file: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # several would add up in another order than the original
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors alone
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
