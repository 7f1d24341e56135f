"""Where a compiled model's answers may jump: the thresholds of its trees, as values of the inputs that they are about.

A threshold stands in the matrix, behind scalers; it is traced back to the input, as nearly as rounding allows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from loopwright.packaging.tree_graph import Forest
from loopwright.scoring.compiled_plan import Numbers, Plan, Step

_Chain = tuple[int, tuple[tuple[str, float], ...]]  # an input, and what is done to it

_INVERSE: Mapping[str, str] = {
    "add": "subtract",
    "subtract": "add",
    "multiply": "divide",
    "divide": "multiply",
}


def of_inputs(forest: Forest, plan: Plan) -> dict[int, list[float]]:
    """The distinct thresholds of each input, ascending; inputs of tables have none: all of their values are known."""
    columns = _columns(plan)
    inner = forest.left >= 0
    found: dict[int, set[float]] = {}
    for column, threshold in {
        (int(c), float(t)) for c, t in zip(forest.feature[inner], forest.threshold[inner], strict=True)
    }:
        chain = columns[column] if column < len(columns) else None
        if chain is not None:
            value = _back(threshold, chain[1])
            if math.isfinite(value):
                found.setdefault(chain[0], set()).add(value)
    return {position: sorted(values) for position, values in found.items()}


def beside(value: float) -> list[float]:
    """The value, and its neighbours in 64 and in 32 bits: what rounding on the way may take for it, or not."""
    single = np.float32(value) if abs(value) < float(np.finfo(np.float32).max) else np.float32(0)
    near = [np.nextafter(single, np.float32(end)) for end in (-math.inf, math.inf)]
    wide = [value, np.nextafter(value, -math.inf), np.nextafter(value, math.inf)]
    between = [(value + float(one)) / 2 for one in near]
    return [float(one) for one in [*wide, single, *near, *between]]


def _columns(plan: Plan) -> list[_Chain | None]:
    """For each column of the matrix that the trees see, where it comes from; None where it is of a table or a mixture."""
    made: list[_Chain | None] = [None] * plan.width
    for block in plan.blocks:
        if isinstance(block, Numbers):
            chains: list[_Chain | None] = [(position, ()) for position in block.inputs]
            for at, chain in zip(block.at, _through(block.steps, chains), strict=True):
                made[at] = chain
    return _through(plan.steps, made)


def _through(steps: Sequence[Step], columns: list[_Chain | None]) -> list[_Chain | None]:
    for step in steps:
        if step.op == "take":
            columns = [columns[at] for at in step.at]
        elif step.op == "indicate":
            columns = [*columns, *(None for _ in step.at)]
        elif step.op == "product":
            columns = [None for _ in step.by[0]]
        elif step.op in _INVERSE:
            columns = [
                chain and (chain[0], (*chain[1], (step.op, value if value is not None else math.nan)))
                for chain, value in zip(columns, step.values, strict=True)
            ]
    return columns


def _back(threshold: float, done: tuple[tuple[str, float], ...]) -> float:
    value = threshold
    for operation, by in reversed(done):
        undo = _INVERSE[operation]
        if undo == "add":
            value += by
        elif undo == "subtract":
            value -= by
        elif undo == "multiply":
            value *= by
        else:
            value = value / by if by else math.nan
    return value
