"""The baseline: how training rows spread over each column, in bins that any later values can be counted into.

Made once by the data room, kept in the package, read wherever observations are compared with training. Counts are
exact and add up: counting two halves and adding equals counting the whole, on any number of machines.

Numbers are binned at quantiles of the training values, so that a bin holds about as many rows as another. Few distinct
values each get their own bin, and a value that fills several quantiles gets one, so that ties and constants do no harm.
Everything else is binned by category: the most frequent ones by name, the others together.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from loopwright.errors import IntegrityError
from loopwright.observations.moments import Moments

MOST_BINS = (
    20  # PSI by the usual ten bins hides shifts in the tails; more than twenty are mostly noise at 1,000 rows
)
MOST_CATEGORIES = 50
FORMAT = 1

Kind = Literal["numbers", "categories"]
Values = Sequence[Any] | NDArray[Any]


_NUMERIC = frozenset({int, float, type(None)})


class Found(NamedTuple):
    """A column of numbers, taken apart."""

    numbers: NDArray[np.float64]
    missing: int
    other: int  # values that are no number


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many values fell where; every value counts exactly once."""

    bins: tuple[int, ...]
    missing: int = 0
    below: int = 0  # numbers under the least of training
    above: int = 0  # numbers over the greatest of training
    unseen: int = 0  # categories that training did not know
    other: int = 0  # categories known but not among the named ones; in a column of numbers: what is no number

    @property
    def out_of_range(self) -> int:
        """Values such as training has never seen."""
        return self.below + self.above + self.unseen

    @property
    def rows(self) -> int:
        return sum(self.bins) + self.missing + self.out_of_range + self.other

    def __add__(self, more: Counts) -> Counts:
        """Both together; ValueError where they are counts of different bins."""
        return Counts(
            bins=tuple(a + b for a, b in zip(self.bins, more.bins, strict=True)),
            missing=self.missing + more.missing,
            below=self.below + more.below,
            above=self.above + more.above,
            unseen=self.unseen + more.unseen,
            other=self.other + more.other,
        )


class Numbers(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="numbers"):
    """Bins of a column of numbers: bin i holds edges[i] <= x < edges[i + 1], the last one edges[-1] <= x <= highest."""

    edges: tuple[float, ...]  # strictly increasing; empty where training had no value at all
    highest: float | None
    counts: Counts
    moments: Moments | None = None  # of the finite numbers; none in a baseline of release 0.2 or before
    percentiles: tuple[float, ...] = ()  # 101 of them, the least and the greatest number included; exact


class Categories(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="categories"):
    """Bins of all other columns: bin i holds the values whose text is names[i]."""

    names: tuple[str, ...]  # most frequent first
    complete: (
        bool  # whether names are all that training knew: then any other value is unseen, else it is `other`
    )
    counts: Counts


Bins = Numbers | Categories


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The bins of all columns of the training rows, and of their label."""

    format: int = FORMAT
    rows: int
    features: dict[str, Bins]
    label: str
    outcome: Bins  # the bins of the label


def make(
    columns: Mapping[str, Values],
    kinds: Mapping[str, Kind],
    label: str,
    known: Mapping[str, Collection[Any]] | None = None,
) -> Baseline:
    """The baseline of training columns, name -> values.

    `kinds` says for each column how to bin it; `known` gives, for some columns of categories, all values that are allowed,
    seen in these rows or not. `label` is one of the columns.
    """
    known = known or {}
    made: dict[str, Bins] = {
        name: numbers(values) if kinds[name] == "numbers" else categories(values, known.get(name, ()))
        for name, values in columns.items()
    }
    outcome = made.pop(label)
    return Baseline(rows=outcome.counts.rows, features=made, label=label, outcome=outcome)


def numbers(values: Values) -> Numbers:
    """Bins for a column of numbers, with the counts of these values."""
    found = split_numbers(values)
    finite = np.sort(found.numbers[np.isfinite(found.numbers)])
    edges = np.unique(finite)
    if edges.size > MOST_BINS:  # quantiles that are values of the column, never between two
        edges = np.unique(finite[np.arange(MOST_BINS) * finite.size // MOST_BINS])
    empty = Numbers(
        edges=tuple(edges.tolist()),
        highest=float(finite[-1]) if finite.size else None,
        counts=Counts(bins=()),
        moments=Moments.of(finite).rounded(),
        percentiles=_percentiles(finite),
    )
    return msgspec.structs.replace(empty, counts=count_found(empty, found))


def _percentiles(finite: NDArray[np.float64]) -> tuple[float, ...]:
    """Of sorted numbers: at p percent the least one that so many are not above; as sketches have them, but exact."""
    if not finite.size:
        return ()
    ranks = np.maximum(0, -(-np.arange(101) * finite.size // 100) - 1)
    return tuple(finite[ranks].tolist())


def categories(values: Values, known: Collection[Any] = ()) -> Categories:
    """Bins for a column of categories, with the counts of these values; `known` are further values that may come."""
    found = split_categories(values)
    missing = found.pop(None, 0)
    for value in known:
        found[text(value)] += 0
    ordered = sorted(
        ((str(name), count) for name, count in found.items()), key=lambda item: (-item[1], item[0])
    )
    named, rest = ordered[:MOST_CATEGORIES], ordered[MOST_CATEGORIES:]
    counts = Counts(
        bins=tuple(count for _, count in named), missing=missing, other=sum(count for _, count in rest)
    )
    return Categories(names=tuple(name for name, _ in named), complete=not rest, counts=counts)


def count(bins: Bins, values: Values) -> Counts:
    """How these values fall into the bins of the baseline, exactly."""
    if isinstance(bins, Numbers):
        return count_found(bins, split_numbers(values))
    return count_texts(bins, split_categories(values))


def text(value: object) -> str | None:
    """The name of a value's category; None where it is missing. 1 and 1.0 are `1`, true is `true`, text is itself."""
    if isinstance(value, str):
        return str(value)
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return None
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return json.dumps(value, sort_keys=True) if isinstance(value, list | tuple | dict) else str(value)


def encode(baseline: Baseline) -> bytes:
    """The content of baseline.json, the same bytes for the same baseline."""
    return msgspec.json.format(msgspec.json.encode(baseline), indent=1)


def decode(content: bytes) -> Baseline:
    """Read baseline.json; raises IntegrityError where it is none that this version knows."""
    try:
        baseline = msgspec.json.decode(content, type=Baseline)
    except msgspec.DecodeError as error:
        raise IntegrityError(f"baseline.json cannot be read: {error}. Make the package again.") from error
    if baseline.format != FORMAT:
        raise IntegrityError(
            f"baseline.json has format {baseline.format}, this version reads {FORMAT}. Make the package again."
        )
    return baseline


def count_found(bins: Numbers, found: Found) -> Counts:
    """How the numbers among some values fall into the bins."""
    if bins.highest is None:
        return Counts(bins=(), missing=found.missing, other=found.other, above=found.numbers.size)
    place = np.searchsorted(np.asarray(bins.edges), found.numbers, side="right") - 1
    below, above = place < 0, found.numbers > bins.highest
    inside = place[~(below | above)]
    counted = np.bincount(inside, minlength=len(bins.edges))
    return Counts(
        bins=tuple(counted.tolist()),
        missing=found.missing,
        other=found.other,
        below=int(np.count_nonzero(below)),
        above=int(np.count_nonzero(above)),
    )


def count_texts(bins: Categories, found: Mapping[str | None, int]) -> Counts:
    """How some texts, each with how often it came (None: missing), fall into the bins."""
    counted = tuple(found.get(name, 0) for name in bins.names)
    missing = found.get(None, 0)
    rest = sum(found.values()) - sum(counted) - missing
    return Counts(
        bins=counted, missing=missing, unseen=rest if bins.complete else 0, other=0 if bins.complete else rest
    )


def split_numbers(values: Values) -> Found:
    """The numbers among the values, how many are missing (None, NaN), and how many are neither."""
    plain = _plain_numbers(values)
    if plain is not None:
        missing = np.isnan(plain)
        count = int(np.count_nonzero(missing))
        return Found(plain[~missing] if count else plain, count, 0)
    array = values if isinstance(values, np.ndarray) else _as_array(values)
    kept = [_as_number(value) for value in array.tolist()]
    found = np.array([value for value in kept if value is not None and value == value], dtype=np.float64)
    other = sum(value is None for value in kept)
    return Found(found, len(kept) - other - found.size, other)


def split_categories(values: Values) -> Counter[str | None]:
    """The texts of the values with how often each comes; None for what is missing."""
    types = set(map(type, values)) - {type(None)}
    if types == {str}:
        return Counter(values)
    if types == {int} or types == {bool}:  # together they would be mixed up: 1 equals true
        return Counter({text(value): count for value, count in Counter(values).items()})
    return Counter(text(value) for value in values)


def _plain_numbers(values: Values) -> NDArray[np.float64] | None:
    """Values that NumPy reads as we do; None where there are others among them."""
    if isinstance(values, np.ndarray):
        return values.astype(np.float64, copy=False) if values.dtype.kind in "iuf" else None
    if not _NUMERIC.issuperset(map(type, values)):
        return None
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:  # an integer over the range of float64
        return None


def _as_array(values: Values) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _as_number(value: object) -> float | None:
    """The number, NaN where it is missing, None where it is no number (true is none)."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
