"""One way to compare a label from a data file with a prediction from a JSON answer.

A CSV gives `1`, `1.0`, `"1"` or `True` for what a scoring script answers as `1`, `"1"`, `1.0` or `true`. Comparing
them as they come calls a right answer wrong; so both sides are brought to one text first, by these rules:

- true and false, also as text in any case, are `1` and `0`;
- a number, also as text, is its shortest decimal form: `1.0` is `1`, `2.50` is `2.5`;
- other text is itself without surrounding blanks, and case matters: `Yes` is not `yes`;
- text that is no plain numeral stays text: `007` is not `7`, `1e3` is not `1000`;
- missing (null, NaN) is None, and equals nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

_NUMERAL = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?")
_TRUTH = {"true": "1", "false": "0"}


def canonical(value: object) -> str | None:
    """The comparable text of a label or prediction; None where it is missing. TypeError for lists and objects."""
    if value is None or isinstance(value, bool):
        return None if value is None else str(int(value))
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _of_float(value)
    if isinstance(value, str):
        return _of_text(value.strip())
    raise TypeError(f"a {type(value).__name__} is no label")


def number(value: object) -> float | None:
    """The finite number that a numeric label or prediction is (also as text; true is none), else None."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:  # an integer beyond every float
        return None
    return found if math.isfinite(found) else None


def ordered(classes: Iterable[str]) -> tuple[str, ...]:
    """Distinct classes from least to greatest: numbers by value, before text by its letters."""
    return tuple(sorted(set(classes), key=_rank))


def _rank(name: str) -> tuple[bool, float, str]:
    value = number(name)
    return (value is None, value or 0.0, name)


def _of_float(value: float) -> str | None:
    if math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() else repr(value)


def _of_text(text: str) -> str:
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if not _NUMERAL.fullmatch(text):
        return text
    if "." not in text:
        return str(int(text))
    return _of_float(float(text)) or text
