"""Whether a compiled form answers as its original does: values in, a verdict out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from loopwright.packaging.known_rows import Row

TOLERANCE = 1e-6  # of probabilities, absolutely; of other numbers, relative to one that is greater than 1
TIE = 1e-9  # how near two probabilities are where rounding alone decides between their labels
_SHOWN = 300


class Answered(msgspec.Struct, frozen=True):
    """Answers to rows, column by column, and the positions of rows that were refused; theirs are null."""

    columns: list[list[Any]]
    refused: list[int]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the comparison of many rows came to."""

    rows: int
    differing: int
    worst: dict[str, float]  # output -> greatest difference of its numbers
    ties: int = 0  # rows whose label rounding alone decided, and decided otherwise
    example: str = ""  # the first row that differs, and how

    @property
    def equal(self) -> bool:
        return self.differing == 0


def compare(
    rows: Sequence[Row], names: Sequence[str], original: Answered, ours: Answered, *, exact: bool = True
) -> Verdict:
    """Labels must be the same, numbers within TOLERANCE, and what one refuses the other must refuse.

    Not `exact` is for products of matrices, whose sums come in another order with another number of rows, also in the
    original: there a label may be either of two whose probabilities are within TIE of each other.
    """
    worst = dict.fromkeys(names[1:] or names, 0.0)
    refused, also = set(original.refused), set(ours.refused)
    differing, ties, example = 0, 0, ""
    for at, row in enumerate(rows):
        theirs, our = [column[at] for column in original.columns], [column[at] for column in ours.columns]
        if at in refused or at in also:
            trouble = "" if (at in refused) == (at in also) else _refusal(at in refused)
        else:
            trouble = _differences(theirs, our, names, worst)
        if trouble and not exact and _tied(theirs, names):
            ties += 1
            trouble = _differences(theirs[1:], our[1:], names[1:], worst)
        if trouble:
            differing += 1
            example = example or f"the row {_shown(row)}: {trouble}"
    return Verdict(rows=len(rows), differing=differing, worst=worst, ties=ties, example=example)


def _tied(answer: list[Any], names: Sequence[str]) -> bool:
    """Whether an answer's two likeliest labels are as likely, but for rounding."""
    told = dict(zip(names, answer, strict=True))
    if isinstance(told.get("probability"), float):
        return bool(abs(told["probability"] - 0.5) <= TIE)
    if isinstance(told.get("probabilities"), dict):
        first, second = sorted(told["probabilities"].values())[-2:]
        return bool(abs(first - second) <= TIE)
    return False


def _refusal(by_original: bool) -> str:
    return (
        "the original refuses it, the compiled form does not"
        if by_original
        else "the compiled form refuses it, the original does not"
    )


def _differences(theirs: list[Any], ours: list[Any], names: Sequence[str], worst: dict[str, float]) -> str:
    for name, one, other in zip(names, theirs, ours, strict=True):
        distance = _distance(one, other)
        if name in worst and math.isfinite(distance):
            worst[name] = max(worst[name], distance)
        if not distance <= TOLERANCE:
            return f"{name} is {_shown(other)}, of the original {_shown(one)}"
    return ""


def _distance(one: Any, other: Any) -> float:
    """0 for the same label; how far numbers are apart; infinite for what is not alike at all."""
    if isinstance(one, dict) and isinstance(other, dict):
        if list(one) != list(other):
            return math.inf
        return max((_distance(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, float) and isinstance(other, float):
        if one == other or (math.isnan(one) and math.isnan(other)):
            return 0.0
        return abs(one - other) / max(1.0, abs(one))
    return 0.0 if type(one) is type(other) and one == other else math.inf


def _shown(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
