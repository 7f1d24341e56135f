"""What is wrong with a value, before it is known where in a file the value stands.

Models and cross-checks make complaints; `wording` and `loading` turn them into problems with file, line and column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

COMPLAINTS = "complaints"  # the type of a validation error that carries complaints of ours
_LONGEST = 60  # characters of a found text that are shown


@dataclass(frozen=True)
class Complaint:
    """One thing wrong. `at` is a dotted path: below the value complained of in a model, from the root in a cross-check."""

    at: str
    found: str
    expected: str
    hint: str = ""


def refusal(complaints: Sequence[Complaint]) -> PydanticCustomError:
    """The error for a validator to raise. Its text is for those who build models in code, without a file."""
    text = "; ".join(
        f"{c.at + ': ' if c.at else ''}found {c.found}, expected {c.expected}" for c in complaints
    )
    return PydanticCustomError(COMPLAINTS, "{text}", {"text": text, COMPLAINTS: list(complaints)})


def told(value: object) -> str:
    """A found value in words: "the text `5x`", "a list", "nothing"."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "a mapping of fields"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str):
        return f"the text {quoted(value)}" if value else "an empty text"
    return quoted(str(value))


def quoted(text: str) -> str:
    """Text in backticks: on one line, without control characters, and not longer than a person wants to read."""
    plain = "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in text[: _LONGEST + 1]
    )
    return f"`{plain[:_LONGEST]}…`" if len(plain) > _LONGEST else f"`{plain}`"


def listed(names: Sequence[str], word: str = "or") -> str:
    """`a`, `b` or `c`."""
    marked = [f"`{name}`" for name in names]
    return f"{', '.join(marked[:-1])} {word} {marked[-1]}" if len(marked) > 1 else "".join(marked)
