"""Rows that nobody has sent yet, to compare answers on: at and beside thresholds, missing, unseen, mixed, and near ties.

The same inputs make the same rows, so that the same model makes the same package.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loopwright.packaging.known_rows import Row
from loopwright.packaging.thresholds import beside
from loopwright.scoring import Input
from loopwright.scoring.compiled_plan import Plan, Table

LEAST, MOST = 10_000, 30_000  # rows; more where there are many thresholds
_UNSEEN = ("never seen before", "", " ", "0")
_LARGE = (0.0, -1.0, 1e6, -1e6, 1e-9)
_PAIRS = 300  # of rows between which a tie is looked for
_HALVINGS = 60
_KEPT = 0.45  # share of the values that stay as a known row has them
_MOST_OBSERVED = 1000


class Pools:
    """For each input the values that generated rows take: what was seen, what stands beside thresholds, what is odd."""

    def __init__(
        self,
        inputs: Sequence[Input],
        plan: Plan,
        known: Sequence[Row],
        thresholds: Mapping[int, Sequence[float]],
    ) -> None:
        tables = {block.input: block for block in plan.blocks if isinstance(block, Table)}
        missing_refused = set(plan.refuses_missing) | {
            at for at, table in tables.items() if table.missing is None
        }
        self.observed = [_observed(one, known, at) for at, one in enumerate(inputs)]
        self.edges = [_edges(one, thresholds.get(at, ())) for at, one in enumerate(inputs)]
        self.odd: list[list[Any]] = []
        self.refused: list[tuple[int, Any]] = []  # an input and a value that the original does not take
        for at, one in enumerate(inputs):
            unseen = _unseen(one, tables.get(at))
            takes_unseen = at not in tables or tables[at].unknown is not None
            missing = [None] if one.nullable else []
            odd = [*(unseen if takes_unseen else []), *(missing if at not in missing_refused else [])]
            self.odd.append(odd)
            self.refused += [(at, value) for value in [*unseen[:3], *missing] if value not in odd]
        self.values = sum(map(len, self.edges))

    def draw(self, at: int, chance: random.Random, kept: Any) -> Any:
        """A value for an input of a row that has `kept` there."""
        roll = chance.random()
        if roll < _KEPT:
            return kept
        if roll < 0.8 and self.edges[at]:
            return chance.choice(self.edges[at])
        if roll < 0.9 or not self.odd[at]:
            return chance.choice(self.observed[at]) if self.observed[at] else kept
        return chance.choice(self.odd[at])


def generate(pools: Pools, known: Sequence[Row]) -> list[Row]:
    """At least LEAST rows, each a known one with some values changed."""
    chance = random.Random(20_260_101)  # noqa: S311  (no secret: the same rows every time)
    count = min(MOST, max(LEAST, 2 * pools.values))
    rows = []
    for _ in range(count):
        row = chance.choice(known)
        rows.append(tuple(pools.draw(at, chance, kept) for at, kept in enumerate(row)))
    return rows


def refused(pools: Pools, known: Sequence[Row]) -> list[Row]:
    """Rows that the original does not take: neither may the compiled form."""
    base = known[0]
    return [(*base[:at], value, *base[at + 1 :]) for at, value in pools.refused[:50]]


def ties(
    known: Sequence[Row],
    inputs: Sequence[Input],
    labels: Callable[[list[Row]], list[Any]],
    *,
    near: bool = True,
) -> list[Row]:
    """Rows on both sides of the line between two labels: halving between known rows, `near` as far as numbers go.

    Not `near` is for labels whose ties cannot be told from other differences: it keeps away what rounding decides.
    """
    numbers = [at for at, one in enumerate(inputs) if one.type == "number"]
    if not numbers or len(known) < 2:
        return []
    chance = random.Random(7)  # noqa: S311
    firsts = [chance.choice(known) for _ in range(_PAIRS)]
    seconds = [_towards(row, chance.choice(known), numbers, 1.0) for row in firsts]
    sides = list(zip(firsts, seconds, labels(firsts), labels(seconds), strict=True))
    low = [a for a, _, one, other in sides if one != other]
    high = [b for _, b, one, other in sides if one != other]
    if not low:
        return []
    of_low = labels(low)
    for _ in range(_HALVINGS if near else _HALVINGS // 2):
        middle = [_towards(a, b, numbers, 0.5) for a, b in zip(low, high, strict=True)]
        same = [now == before for now, before in zip(labels(middle), of_low, strict=True)]
        low = [m if s else a for m, s, a in zip(middle, same, low, strict=True)]
        high = [b if s else m for m, s, b in zip(middle, same, high, strict=True)]
    return low + high


def _towards(row: Row, other: Row, numbers: Sequence[int], share: float) -> Row:
    """The row with its numbers moved to another's by a share of the way."""
    made = list(row)
    for at in numbers:
        if row[at] is not None and other[at] is not None:
            made[at] = other[at] if share == 1.0 else row[at] + (other[at] - row[at]) * share
    return tuple(made)


def _observed(one: Input, known: Sequence[Row], at: int) -> list[Any]:
    found = dict.fromkeys(row[at] for row in known if row[at] is not None)
    declared = [value for value in one.categories or () if _fits(value, one)]
    return list(dict.fromkeys([*declared, *list(found)[:_MOST_OBSERVED]]))


def _fits(value: Any, one: Input) -> bool:
    kinds: dict[str, Any] = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}
    return isinstance(value, kinds[one.type]) and (one.type == "boolean" or not isinstance(value, bool))


def _edges(one: Input, thresholds: Sequence[float]) -> list[Any]:
    if one.type == "boolean":
        return [True, False]
    if one.type == "number":
        return [value for threshold in thresholds for value in beside(threshold)]
    if one.type == "integer":
        around = (
            round_to(threshold)
            for threshold in thresholds
            if abs(threshold) < 2**53
            for round_to in (math.floor, math.ceil)
        )
        return list(dict.fromkeys(around))
    return []


def _unseen(one: Input, table: Table | None) -> list[Any]:
    """Values that are in no table; of numbers without one, values far away."""
    keys = set(table.keys) if table else set()
    if one.type == "string":
        return [text for text in _UNSEEN if text not in keys]
    if one.type == "boolean":
        return [value for value in (True, False) if table and value not in keys]
    values: list[Any] = [value if one.type == "number" else int(value) for value in _LARGE]
    return [value for value in dict.fromkeys(values) if value not in keys]
