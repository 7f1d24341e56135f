"""What each column is good for: a number, a category, a text, a date, or nothing that a model should see.

Each decision is a guess by the thresholds below; the drafted script has the lists at its top, so a column is moved from
one to another in a second.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np

from loopwright.datasets.columns import Column, Guess, convert, guess
from loopwright.datasets.inference import is_key
from loopwright.datasets.raw import Raw, counted, shorten
from loopwright.errors import StepFailed

Role = Literal["number", "truth", "category", "text", "date"]

_LOOKED_AT = 1000  # values that a column's nature is read from
_MOSTLY = 0.9
_WORDS = 3  # a text has so many in the median; less is a category or an identifier
_REPEATS = 2  # rows for each different value of a category, in the mean
_GROUP = 20  # an identifier that more rows share in the mean is a category of its own, such as a shop
_LEAST_GROUPS = 20
_NAMED = 3

_WORD = re.compile(r"\w\w+")
_IDENTIFIER = re.compile(r"(?i:(^|[\W_])(id|uuid|guid|index|key)$)|[a-z0-9](Id|ID)$")
_OTHER_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([ T].*)?")


@dataclass(frozen=True)
class Feature:
    """A column that the model sees."""

    name: str
    role: Role
    column: Column
    marks: tuple[str, ...] = ()  # texts for "missing", besides the empty field


@dataclass(frozen=True)
class Columns:
    """The columns of a table by what they are good for."""

    features: tuple[Feature, ...]
    left_out: Mapping[str, str]  # name -> why
    group: str = ""  # the identifier that several rows share, by which they should be held out together

    def of(self, *roles: Role) -> list[str]:
        """The names of the features with these roles."""
        return [feature.name for feature in self.features if feature.role in roles]


def sort(raw: Raw, label: str, unwanted: Collection[str], wanted: Collection[str] = ()) -> Columns:
    """Sort the columns, those `wanted` to features whatever they look like; raises StepFailed where one has values that cannot be read, or none is left to learn from."""
    features: list[Feature] = []
    left_out = {name: "as you asked" for name in raw.columns if name in unwanted}
    groups = []
    unreadable: list[str] = []
    for name, values in raw.columns.items():
        if name == label or name in unwanted:
            continue
        guessed = guess(values)
        column = convert(values, guessed.type, guessed.marks)
        unreadable += _unreadable(raw, name, column)
        reason = "" if name in wanted else _useless(name, column)
        if reason:
            left_out[name] = reason
        elif name in wanted:
            features.append(_feature(name, column, guessed))
        elif _is_group(name, column):
            left_out[name] = "an identifier that several rows share: they are held out together"
            groups.append(name)
        else:
            features.append(_feature(name, column, guessed))
    _require_readable(raw, unreadable)
    if not features:
        told = "; ".join(f"{name}: {why}" for name, why in left_out.items()) or "there is no other column"
        raise StepFailed(
            f"{raw.shown}: no column is left to learn {label!r} from. Left out: {told}. --use COLUMN takes one all the same."
        )
    return Columns(tuple(features), left_out, groups[0] if len(groups) == 1 else "")


def _feature(name: str, column: Column, guessed: Guess) -> Feature:
    if column.type in ("integer", "number"):
        return Feature(name, "number", column, guessed.marks)
    if column.type == "boolean":
        return Feature(name, "truth", column)
    present = _some(column)
    if _share(present, _is_date) >= _MOSTLY:
        return Feature(name, "date", column)
    return Feature(name, "text" if _is_text(column, present) else "category", column)


def _useless(name: str, column: Column) -> str:
    """Why a model should not see a column; empty where it may."""
    present = column.values.dropna()
    if present.nunique() < 2:
        return "it has no value" if present.empty else f"it has one value only, {shorten(present.iloc[0])}"
    if column.type == "integer" and is_key(column) and (_IDENTIFIER.search(name) or _is_sequence(column)):
        return "an identifier: every value differs"
    if column.type != "string":
        return ""
    sample = _some(column)
    if _share(sample, _is_date) >= _MOSTLY:
        return ""
    if _share(sample, lambda text: bool(_OTHER_DATE.fullmatch(text.strip()))) >= _MOSTLY:
        return f"dates in another form than 2026-11-21, such as {shorten(sample[0])}; write them so, and they are used"
    if not _is_text(column, sample) and present.nunique() * _REPEATS > len(present) and not _few(column):
        kind = "an identifier: every value differs" if present.is_unique else "its values hardly repeat"
        return f"{kind}, such as {shorten(sample[0])}"
    return ""


def _few(column: Column) -> bool:
    """Whether there are so few different values, in so few rows, that nothing can be said."""
    return int(column.values.nunique()) <= _LEAST_GROUPS


def _is_group(name: str, column: Column) -> bool:
    present = column.values.dropna()
    distinct = present.nunique()
    named = column.type in ("integer", "string") and _IDENTIFIER.search(name) is not None
    return named and distinct >= _LEAST_GROUPS and len(present) < distinct * _GROUP


def _is_sequence(column: Column) -> bool:
    """1, 2, 3 ... as a saved row number has it."""
    present = column.values.dropna().to_numpy(dtype=np.float64)
    return bool(present.max() - present.min() == present.size - 1)


def _is_text(column: Column, sample: list[str]) -> bool:
    words = sorted(len(_WORD.findall(text)) for text in sample)
    return words[len(words) // 2] >= _WORDS and not _few(column)


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text.strip())
    except ValueError:
        return False
    return "-" in text


def _some(column: Column) -> list[str]:
    return [str(value) for value in column.values.dropna().head(_LOOKED_AT)]


def _share(texts: list[str], holds: Any) -> float:
    return sum(map(holds, texts)) / len(texts) if texts else 0.0


def _unreadable(raw: Raw, name: str, column: Column) -> Iterator[str]:
    rows = np.flatnonzero(column.unreadable)
    if rows.size:
        shown = ", ".join(raw.example(name, int(row)) for row in rows[:_NAMED])
        yield f"{name}: {counted(rows.size, 'value')} among numbers cannot be read: {shown}{', ...' if rows.size > _NAMED else ''}"


def _require_readable(raw: Raw, sentences: list[str]) -> None:
    if sentences:
        listed = "".join(f"\n    {sentence}" for sentence in sentences)
        raise StepFailed(
            f"{raw.shown} has values unlike most others of their column:{listed}\n"
            "Correct them, empty them where there is no value, or leave the column out: --leave-out COLUMN."
        )
