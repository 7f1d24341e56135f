"""Panes: distributions over ten seconds of one worker, and their sum, in which each counts once however often it comes.

A pane is named by (worker, sequence). Panes of the same bins can be added in any order; adding one again changes nothing,
so that what is read twice, shipped twice or restored from a backup does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loopwright.observations import bins
from loopwright.observations.blocks import Column, Pane, Summary
from loopwright.observations.tallies import NO_CATEGORIES, NO_NUMBERS, SCORES, Tally, Total

SECONDS = 10.0


class Shape:
    """Into which bins each column is counted."""

    def __init__(self, baseline: bins.Baseline | None, features: Sequence[Column]) -> None:
        known = baseline.features if baseline else {}
        self.features = {column.name: known.get(column.name) or _unknown(column.type) for column in features}
        self._known: dict[str, bins.Bins] = {"probability": SCORES}
        if baseline:
            self._known["prediction"] = baseline.outcome

    def output(self, name: str, values: Sequence[Any]) -> bins.Bins | None:
        """The bins of an output, by its first value where no baseline has it; None for what is neither number nor category."""
        if name in self._known:
            return self._known[name]
        first = next((value for value in values if value is not None), None)
        if first is None or isinstance(first, dict | list):
            return None
        number = isinstance(first, int | float) and not isinstance(first, bool)
        self._known[name] = NO_NUMBERS if number else NO_CATEGORIES
        return self._known[name]


def _unknown(kind: str) -> bins.Bins:
    return NO_NUMBERS if kind in ("integer", "number") else NO_CATEGORIES


class Opened:
    """The pane that is being made."""

    def __init__(self, worker: str, baseline: str, shape: Shape, sequence: int) -> None:
        self.sequence = sequence
        self._worker, self._baseline, self._shape = worker, baseline, shape
        self._features: dict[str, dict[str, Tally]] = {}
        self._outputs: dict[str, dict[str, Tally]] = {}
        self._began, self._ended = float("inf"), float("-inf")

    @property
    def empty(self) -> bool:
        return not self._features

    def cover(self, began: Sequence[float]) -> None:
        """Take in when requests began."""
        self._began = min(self._began, min(began))
        self._ended = max(self._ended, max(began))

    def feature(self, role: str, name: str, values: Sequence[Any]) -> None:
        """Take in values of an input."""
        tallies = self._features.setdefault(role, {})
        if values:
            if name not in tallies:
                tallies[name] = Tally(self._shape.features[name])
            tallies[name].add(values)

    def output(self, role: str, name: str, values: Sequence[Any]) -> None:
        """Take in values of an output."""
        tallies = self._outputs.setdefault(role, {})
        into = self._shape.output(name, values)
        if values and into is not None:
            if name not in tallies:
                tallies[name] = Tally(into)
            tallies[name].add(values)

    def pane(self) -> Pane:
        """What it has, as a value."""
        return Pane(
            worker=self._worker,
            sequence=self.sequence,
            baseline=self._baseline,
            began=self._began,
            ended=self._ended,
            features=_summaries(self._features),
            outputs=_summaries(self._outputs),
        )


def _summaries(tallies: Mapping[str, Mapping[str, Tally]]) -> dict[str, dict[str, Summary]]:
    return {role: {name: one.summary() for name, one in by.items()} for role, by in tallies.items()}


class Distribution:
    """The sum of panes of the same bins."""

    def __init__(self, baseline: str) -> None:
        self.baseline = baseline
        self._seen: dict[str, set[int]] = {}
        self._features: dict[str, dict[str, Total]] = {}
        self._outputs: dict[str, dict[str, Total]] = {}

    def add(self, pane: Pane) -> bool:
        """Take in a pane; False where it is in already. ValueError where its bins are others."""
        if pane.baseline != self.baseline:
            raise ValueError(f"a pane in the bins of {pane.baseline!r} cannot be added to {self.baseline!r}")
        seen = self._seen.setdefault(pane.worker, set())
        if pane.sequence in seen:
            return False
        seen.add(pane.sequence)
        _merge(self._features, pane.features)
        _merge(self._outputs, pane.outputs)
        return True

    def features(self, role: str = "live") -> dict[str, Summary]:
        """The sums of the inputs, by name."""
        return {name: total.summary() for name, total in self._features.get(role, {}).items()}

    def outputs(self, role: str = "live") -> dict[str, Summary]:
        """The sums of the outputs, by name."""
        return {name: total.summary() for name, total in self._outputs.get(role, {}).items()}


def _merge(totals: dict[str, dict[str, Total]], more: Mapping[str, Mapping[str, Summary]]) -> None:
    for role, summaries in more.items():
        by_name = totals.setdefault(role, {})
        for name, summary in summaries.items():
            by_name.setdefault(name, Total(len(summary.bins))).merge(summary)
