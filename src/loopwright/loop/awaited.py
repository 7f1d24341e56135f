"""Stand-ins for what is known only once a step has run, so that a change can be walked before anything of it has.

A step whose inputs read a stand-in cannot be looked up in the ledger: what it reads is noted instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Field = tuple[str, str]
"""A step, and a field of its output."""


class StandIn(str):
    """Stands for a value that is not known yet. A text that no result has, so that no fact is found under it."""

    __slots__ = ()


@dataclass
class Readings:
    """Which fields of outputs that are not known yet were read."""

    fields: set[Field] = field(default_factory=set)

    def take(self) -> frozenset[Field]:
        """Those read since the last call."""
        taken = frozenset(self.fields)
        self.fields.clear()
        return taken


class Awaited(Mapping[str, Any]):
    """The output of a step that has not run."""

    def __init__(self, step: str, readings: Readings) -> None:
        self._step = step
        self._readings = readings

    def __getitem__(self, name: str) -> StandIn:
        self._readings.fields.add((self._step, name))
        return StandIn(f"{self._step}.{name}, known after {self._step}")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
