"""The head of a compiled model that is made of trees: masks of leaves where they are small enough, else a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from loopwright.packaging import tree_graph, tree_masks
from loopwright.packaging.tree_graph import Described, Forest
from loopwright.scoring.compiled_plan import Numbers, Step, Table

_MAKES_GAPS = ("unset", "product")  # zeros become NaN; of infinities a sum may


def write(
    forest: Forest, described: Described, plan: Mapping[str, Any], width: int, folder: Path
) -> dict[str, Any]:
    """Write the files of a head, and return the head as plan.json has it.

    `plan` is what comes before it, as plan.json has it; `width` is how many columns of its matrix the trees see.
    """
    blocks = msgspec.convert(plan["blocks"], tuple[Numbers | Table, ...])
    steps = msgspec.convert(plan.get("steps", ()), tuple[Step, ...])
    head = tree_masks.write(forest, described, with_gaps(plan["width"], blocks, steps), folder)
    return head if head is not None else tree_graph.write(forest, described, width, folder)


def with_gaps(width: int, blocks: Sequence[Numbers | Table], steps: Sequence[Step]) -> list[bool]:
    """Of each column that the trees see, whether it may hold NaN."""
    columns = [True] * width
    for block in blocks:
        for at, gaps in zip(block.at, _of_block(block), strict=True):
            columns[at] = gaps
    return _through(steps, columns)


def _of_block(block: Numbers | Table) -> list[bool]:
    if isinstance(block, Numbers):
        return _through(block.steps, [True] * len(block.inputs))
    rows = [*block.values, *(one for one in (block.missing, block.unknown) if one is not None)]
    return [any(row[at] is None for row in rows) for at in range(len(block.at))]


def _through(steps: Sequence[Step], columns: list[bool]) -> list[bool]:
    for step in steps:
        if step.op == "take":
            columns = [columns[at] for at in step.at]
        elif step.op == "indicate":
            columns = [*columns, *(False for _ in step.at)]
        elif step.op == "fill":
            columns = [gap and value is None for gap, value in zip(columns, step.values, strict=True)]
        elif step.op in _MAKES_GAPS:
            columns = [True] * (len(step.by[0]) if step.op == "product" else len(columns))
    return columns
