"""Answers as JSON for /score: an object with the model's outputs for each row."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from loopwright.scoring.batching import Columns
from loopwright.scoring.settings import Output


class Renderer:
    """Writes columns of answers as objects; what JSON cannot hold becomes null."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        fields = [(f"f{number}", object, msgspec.field(name=one.name)) for number, one in enumerate(outputs)]
        self._answer = msgspec.defstruct("Answer", fields, gc=False)
        self._encode = msgspec.json.Encoder().encode

    def render(self, columns: Columns, single: bool) -> bytes:
        """One object where one was asked for by itself, else a list of them."""
        if single:
            return self._encode(self._answer(*[column[0] for column in columns]))
        return self._encode([*map(self._answer, *columns)])
