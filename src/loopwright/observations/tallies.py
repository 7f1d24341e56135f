"""Tallies: the values of a column as they come, a few hundred at a time, added up to a `Summary` of bounded size.

Counts in bins, and the least and greatest value, are exact however the values are divided; means and squared distances
are up to rounding; quantiles and frequent items are sketches with the error bounds of Apache DataSketches
(https://datasketches.apache.org): KLL with k = 200 is within 1.33% of a rank.
"""

from __future__ import annotations

from collections.abc import Iterable

import datasketches
import numpy as np

from loopwright.observations import bins
from loopwright.observations.blocks import Summary
from loopwright.observations.moments import Moments

PRECISION = 200  # k of KLL: some 5 kB for any number of values
_FREQUENT = 7  # log2 of the size of a frequent-items sketch: texts that take over 1 in 30 are never missed
_LONGEST = 200  # characters of a text that are kept of a category without a bin

NO_NUMBERS = bins.Numbers(edges=(), highest=None, counts=bins.Counts(bins=()))
NO_CATEGORIES = bins.Categories(names=(), complete=False, counts=bins.Counts(bins=()))
SCORES = bins.Numbers(
    edges=tuple(step / 20 for step in range(20)), highest=1.0, counts=bins.Counts(bins=(0,) * 20)
)


class Total:
    """Summaries of one column added up; `places` is how many bins it has."""

    def __init__(self, places: int) -> None:
        self._counts = bins.Counts(bins=(0,) * places)
        self._moments = Moments()
        self._quantiles = datasketches.kll_doubles_sketch(PRECISION)
        self._frequent = datasketches.frequent_strings_sketch(_FREQUENT)

    def merge(self, summary: Summary) -> None:
        """Take in another of the same bins; ValueError where it has others."""
        self._counts += counts_of(summary)
        self._moments += moments_of(summary)
        if summary.quantiles:
            self._quantiles.merge(datasketches.kll_doubles_sketch.deserialize(summary.quantiles))
        if summary.frequent:
            self._frequent.merge(datasketches.frequent_strings_sketch.deserialize(summary.frequent))

    def summary(self) -> Summary:
        """All of it so far."""
        counts, moments = self._counts, self._moments
        return Summary(
            bins=counts.bins,
            missing=counts.missing,
            below=counts.below,
            above=counts.above,
            unseen=counts.unseen,
            other=counts.other,
            count=moments.count,
            low=moments.low,
            high=moments.high,
            mean=moments.mean,
            squares=moments.squares,
            quantiles=b"" if self._quantiles.is_empty() else self._quantiles.serialize(),
            frequent=b"" if self._frequent.is_empty() else self._frequent.serialize(),
        )


class Tally(Total):
    """The values of one column as they come, counted into the bins of its baseline."""

    def __init__(self, into: bins.Bins) -> None:
        super().__init__(len(into.counts.bins))
        self._into = into
        self._named = frozenset(into.names) if isinstance(into, bins.Categories) else frozenset()

    def add(self, values: bins.Values) -> None:
        """Take in more values."""
        if isinstance(self._into, bins.Numbers):
            self._add_numbers(self._into, values)
        else:
            self._add_categories(self._into, values)

    def _add_numbers(self, into: bins.Numbers, values: bins.Values) -> None:
        found = bins.split_numbers(values)
        self._counts += bins.count_found(into, found)
        finite = found.numbers[np.isfinite(found.numbers)]
        if finite.size:
            self._moments += Moments.of(finite)
            self._quantiles.update(finite)

    def _add_categories(self, into: bins.Categories, values: bins.Values) -> None:
        found = bins.split_categories(values)
        for text, weight in found.items():
            if text is not None and text not in self._named:
                self._frequent.update(_shown(text), weight)
        self._counts += bins.count_texts(into, found)


def counts_of(summary: Summary) -> bins.Counts:
    """The counts of a summary by themselves."""
    return bins.Counts(
        bins=tuple(summary.bins),
        missing=summary.missing,
        below=summary.below,
        above=summary.above,
        unseen=summary.unseen,
        other=summary.other,
    )


def moments_of(summary: Summary) -> Moments:
    """The moments of a summary by themselves."""
    return Moments(summary.count, summary.low, summary.high, summary.mean, summary.squares)


def quantiles(summary: Summary, ranks: Iterable[float]) -> list[float]:
    """The numbers at these ranks, 0 to 1; empty where there is no number."""
    if not summary.quantiles:
        return []
    sketch = datasketches.kll_doubles_sketch.deserialize(summary.quantiles)
    return [float(value) for value in sketch.get_quantiles(list(ranks))]


def frequent(summary: Summary) -> list[tuple[str, int]]:
    """The most frequent texts without a bin, with about how often each came, the most frequent first."""
    if not summary.frequent:
        return []
    sketch = datasketches.frequent_strings_sketch.deserialize(summary.frequent)
    found = sketch.get_frequent_items(datasketches.frequent_items_error_type.NO_FALSE_NEGATIVES)
    return [(item[0], int(item[1])) for item in found]


def _shown(text: str) -> str:
    """As much of it as is kept, and only what UTF-8 can hold."""
    short = text[:_LONGEST]
    return short if short.isascii() else short.encode("utf-8", "replace").decode()
