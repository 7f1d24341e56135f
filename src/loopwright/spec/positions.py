"""Where every value of a file stands, so that whoever finds fault with one can say the line.

Made by `reading`; used by `loading`, and by operations for faults that only show later (a label that the CSV lacks).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from loopwright.errors import Problem

Path = str | Iterable[str | int]
"""A dotted path such as `evaluation.gates.0.metric`, or its parts; "" is the whole file."""


@dataclass(frozen=True)
class Mark:
    """A place in a file, from 1, and for a scalar the text as it was written."""

    line: int
    column: int
    text: str | None = None


@dataclass(frozen=True)
class Positions:
    """The places of a file's values and keys, by dotted path."""

    file: str
    values: Mapping[str, Mark] = field(default_factory=dict)
    keys: Mapping[str, Mark] = field(default_factory=dict)

    def at(self, path: Path) -> tuple[int, int]:
        """Line and column of a value; of the nearest part that holds it where the file does not state it."""
        dotted = dotted_path(path)
        mark = self.values.get(dotted)
        while mark is None and dotted:
            dotted = dotted.rpartition(".")[0]
            mark = self.keys.get(dotted) or self.values.get(dotted)
        return (mark.line, mark.column) if mark else (1, 1)

    def key_at(self, path: Path) -> tuple[int, int]:
        """Line and column of a field's name."""
        mark = self.keys.get(dotted_path(path))
        return (mark.line, mark.column) if mark else self.at(path)

    def text(self, path: Path) -> str | None:
        """A scalar as it was written, so that a person sees 3.10 and not the number 3.1."""
        mark = self.values.get(dotted_path(path))
        return mark.text if mark else None

    def problem(self, path: Path, found: str, expected: str, hint: str = "", on_key: bool = False) -> Problem:
        """A problem with a value of this file, or with its name where `on_key`."""
        line, column = self.key_at(path) if on_key else self.at(path)
        return Problem(self.file, line, column, dotted_path(path), found, expected, hint)


def dotted_path(path: Path) -> str:
    """The parts of a path as one text."""
    return path if isinstance(path, str) else ".".join(map(str, path))


def join(*parts: str) -> str:
    """Dotted paths one below the other; empty ones add nothing."""
    return ".".join(part for part in parts if part)
