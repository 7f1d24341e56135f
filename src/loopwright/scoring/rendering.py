"""Answers as JSON for /score: an object with the model's outputs for each row."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from loopwright.scoring.aside import breathe
from loopwright.scoring.batching import Columns
from loopwright.scoring.settings import Output

_AT_ONCE = 2048  # rows; about a millisecond


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

    def render_large(self, columns: Columns) -> bytes:
        """A list of many, for a thread: other threads have their turn between its pieces."""
        parts = []
        for start in range(0, len(columns[0]), _AT_ONCE):
            part = [column[start : start + _AT_ONCE] for column in columns]
            parts.append(self.render(part, False)[1:-1])
            breathe()
        return b"[" + b",".join(parts) + b"]"
