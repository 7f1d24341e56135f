"""What a compiled model is, as data: compiled/plan.json, written by packaging and read by the front.

A plan turns rows into a matrix of 64-bit floats as the original's preprocessing does (`blocks`, then `steps`), the matrix
into scores (`head`), and the scores into answers by the original's own rule (`decision`). NaN is written as null.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from loopwright.errors import MachineError, UsageError
from loopwright.scoring.settings import Output

FOLDER = "compiled"  # in the package
PLAN = "plan.json"
REPORT = "report.json"

Key = str | int | float | bool


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: frozen, and a field that nobody reads is an error."""


class Step(_Part, frozen=True, kw_only=True):
    """One operation on a matrix, column by column but for the last three, with one value for each column."""

    op: Literal[
        "fill",  # NaN becomes the value
        "add",
        "subtract",
        "multiply",
        "divide",
        "atleast",
        "atmost",
        "indicate",  # 1 where NaN, else 0, as a further column for each one that `at` names
        "take",  # only the columns that `at` names, in that order
        "product",  # with the matrix `by`, one row for each column
        "unset",  # zeros become NaN: what a sparse matrix does not hold is missing for some models
    ]
    values: tuple[float | None, ...] = ()
    at: tuple[int, ...] = ()
    by: tuple[tuple[float, ...], ...] = ()


class Numbers(_Part, frozen=True, kw_only=True, tag="numbers"):
    """Inputs taken as numbers; missing is NaN."""

    inputs: tuple[int, ...]  # positions in the row
    steps: tuple[Step, ...] = ()
    at: tuple[int, ...]  # the matrix's columns


class Table(_Part, frozen=True, kw_only=True, tag="table"):
    """An input whose every value is known, with what the original makes of each."""

    input: int
    keys: tuple[Key, ...]
    values: tuple[tuple[float | None, ...], ...]  # a tuple for each key
    missing: tuple[float | None, ...] | None  # none: the original refuses it
    unknown: tuple[float | None, ...] | None
    at: tuple[int, ...]  # the matrix's columns


class Linear(_Part, frozen=True, kw_only=True, tag="linear"):
    """scores = matrix @ coefficients + intercept, in float64."""

    coefficients: tuple[tuple[float, ...], ...]  # one tuple for each score
    intercepts: tuple[float, ...]


class Kernel(_Part, frozen=True, kw_only=True, tag="kernel"):
    """scores = kernel(matrix, vectors) @ weights + intercepts, in float64, as a support vector machine has it."""

    kernel: Literal["linear", "poly", "rbf", "sigmoid"]
    gamma: float
    constant: float
    degree: float
    vectors: tuple[tuple[float, ...], ...]
    weights: tuple[tuple[float, ...], ...]  # one tuple for each score
    intercepts: tuple[float, ...]


class Layer(_Part, frozen=True, kw_only=True):
    """One layer of a network: a column of weights for each of its units."""

    weights: tuple[tuple[float, ...], ...]
    biases: tuple[float, ...]


class Layers(_Part, frozen=True, kw_only=True, tag="layers"):
    """A network's last layer before its own activation, which is the link."""

    activation: Literal["identity", "logistic", "tanh", "relu"]  # between layers
    layers: tuple[Layer, ...]


class Onnx(_Part, frozen=True, kw_only=True, tag="onnx"):
    """Scores by ONNX Runtime: `file` takes the matrix as `X` and gives the scores as its first output."""

    file: str
    precision: Literal["double", "single"]  # of the file's input
    rounded: bool = False  # the original sees the matrix in single precision
    leaves: str = ""  # .npy; scores are the sums of the rows of it that the file names
    tie: str = ""  # a second such file, for the other class, where two are nearly equal
    divisor: float = 1.0


class Lookup(_Part, frozen=True, kw_only=True):
    """Which row of the masks belongs to a row of the matrix: told by where its columns stand among their thresholds.

    It has rows for all combinations of the columns' intervals, one more than thresholds each; the last column's run fastest.
    """

    columns: tuple[int, ...]
    thresholds: tuple[int, ...]  # how many each column has
    compared: bool  # an interval is how many thresholds are at least the value, NaN none; else, for one column: are below it, NaN all


class Masks(_Part, frozen=True, kw_only=True, tag="masks"):
    """Scores by sums over trees, whose leaves are found without walking: see compiled_masks.py for the files and the way."""

    lookups: tuple[Lookup, ...]
    trees: int
    scores: int = 1  # the trees stand in the order of the scores that they add to, equally many for each
    rounded: bool  # the original sees the matrix in single precision
    tie: bool = (
        False  # the score is the second class's share; where it is nearly a half, the first one's counts too
    )
    divisor: float = 1.0


Head = Linear | Kernel | Layers | Onnx | Masks


class Decision(_Part, frozen=True, kw_only=True):
    """How scores become answers."""

    link: Literal["none", "logistic", "softmax", "exp", "shares"] = "none"
    classes: tuple[Key, ...] = ()  # in the original's order; none: regression
    names: tuple[str, ...] = ()  # the classes as text
    rule: Literal["most", "above"] = "most"  # the likeliest; above a limit
    of: Literal["probabilities", "scores"] = "probabilities"  # what the rule looks at
    limit: float = 0.5
    inclusive: bool = False


class Plan(_Part, frozen=True, kw_only=True):
    """The content of plan.json."""

    format: Literal[1] = 1
    inputs: tuple[str, ...]
    outputs: tuple[Output, ...]
    width: int  # columns of the matrix that the blocks make
    blocks: tuple[Numbers | Table, ...]
    steps: tuple[Step, ...] = ()
    head: Head
    decision: Decision
    refuses_missing: tuple[int, ...] = ()  # inputs of which the original takes no missing value
    refuses_infinite: bool = True


def read(folder: Path) -> Plan:
    """The plan of a package's compiled folder; raises UsageError or MachineError."""
    try:
        return msgspec.json.decode((folder / PLAN).read_bytes(), type=Plan)
    except OSError as error:
        raise MachineError(
            f"{folder / PLAN} cannot be read: {error.strerror}. Package the workload again."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{folder / PLAN} is not a plan that this version reads: {error}. Package the workload again."
        ) from error
