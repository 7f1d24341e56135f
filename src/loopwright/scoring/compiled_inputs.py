"""Rows to the matrix of a compiled model, in 64-bit floats, as the original's preprocessing does it.

On the path of every request: each call of NumPy costs about as much as a row's share of the model, so there are few.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from loopwright.scoring.compiled_plan import Numbers, Plan, Step, Table
from loopwright.scoring.refusals import InvalidInput

Matrix = npt.NDArray[np.float64]
Columns = list[tuple[Any, ...]]
Operation = Callable[[Matrix], Matrix]
Fill = Callable[[Columns, Matrix], None]

_REFUSED = -1


class Inputs:
    """The first half of a plan, ready to be run."""

    def __init__(self, plan: Plan) -> None:
        self._names = plan.inputs
        self._width = plan.width
        self._fills = [_filler(block, plan.inputs) for block in plan.blocks]
        self._operations = [operation(step) for step in plan.steps]
        self._refuses_missing = plan.refuses_missing

    def matrix(self, rows: Sequence[tuple[Any, ...]]) -> Matrix:
        """One row for each; raises InvalidInput where the original takes no such value."""
        columns: Columns = list(zip(*rows, strict=True))
        for position in self._refuses_missing:
            self._refuse_missing(position, columns[position])
        made = np.empty((len(rows), self._width))
        for fill in self._fills:
            fill(columns, made)
        for operate in self._operations:
            made = operate(made)
        return made

    def _refuse_missing(self, position: int, column: tuple[Any, ...]) -> None:
        for row, value in enumerate(column):
            if value is None or value != value:
                raise InvalidInput(
                    self._names[position], row, "null", "a value, since the model takes none that is missing"
                )


def operation(step: Step) -> Operation:
    """A step as a function of a matrix with one row for each row."""
    values = np.array([math.nan if value is None else value for value in step.values])
    at = np.array(step.at, dtype=np.intp)
    by = np.array(step.by, dtype=np.float64)
    operations: dict[str, Operation] = {
        "fill": lambda matrix: np.where(np.isnan(matrix), values, matrix),
        "add": lambda matrix: matrix + values,
        "subtract": lambda matrix: matrix - values,
        "multiply": lambda matrix: matrix * values,
        "divide": lambda matrix: matrix / values,
        "atleast": lambda matrix: np.maximum(matrix, values),
        "atmost": lambda matrix: np.minimum(matrix, values),
        "indicate": lambda matrix: np.hstack([matrix, np.isnan(matrix[:, at])]),
        "take": lambda matrix: matrix.take(at, axis=1),
        "product": lambda matrix: matrix @ by,
        "unset": lambda matrix: np.where(matrix == 0.0, np.nan, matrix),
    }
    return operations[step.op]


def _filler(block: Numbers | Table, names: tuple[str, ...]) -> Fill:
    return _numbers(block) if isinstance(block, Numbers) else _table(block, names[block.input])


def _where(at: tuple[int, ...]) -> Any:
    """A slice where the columns stand side by side: it is much cheaper to write to."""
    together = at == tuple(range(at[0], at[0] + len(at))) if at else False
    return slice(at[0], at[0] + len(at)) if together else list(at)


def _numbers(block: Numbers) -> Fill:
    inputs, target = block.inputs, _where(block.at)
    operations = [operation(step) for step in block.steps]

    def fill(columns: Columns, made: Matrix) -> None:
        taken = np.array([columns[position] for position in inputs], dtype=np.float64).T  # None becomes NaN
        for operate in operations:
            taken = operate(taken)
        made[:, target] = taken

    return fill


def _table(block: Table, name: str) -> Fill:
    positions: dict[Any, int] = {key: number for number, key in enumerate(block.keys)}
    values = [*block.values]
    for key, made_of in ((None, block.missing), (math.nan, block.unknown)):
        positions[key] = _REFUSED if made_of is None else len(values)
        if made_of is not None:
            values.append(made_of)
    unknown = positions.pop(math.nan)
    table = np.array([[math.nan if value is None else value for value in one] for one in values])
    find, target = positions.get, _where(block.at)
    refuses = _REFUSED in (unknown, positions[None])

    def fill(columns: Columns, made: Matrix) -> None:
        column = columns[block.input]
        found = [find(value, unknown) for value in column]
        if refuses and _REFUSED in found:
            _refuse(name, found.index(_REFUSED), column)
        made[:, target] = table.take(found, axis=0)

    return fill


def _refuse(name: str, row: int, column: tuple[Any, ...]) -> None:
    value = column[row]
    if value is None:
        raise InvalidInput(name, row, "null", "a value, since the model takes none that is missing")
    raise InvalidInput(
        name, row, repr(value)[:60], "a value that the model has seen in training, since it takes no other"
    )
