"""What a plain scalar of YAML means: the core schema of YAML 1.2, and nothing of YAML 1.1's surprises.

So `no` and `on` are text and not false and true, `1:30` is no number of base 60, `2024-01-01` is no date, `010` is ten.
"""

from __future__ import annotations

import math
import re

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MOST_DIGITS = 40  # beyond 64 bits in every base, and short of what int() refuses to read

Scalar = str | int | float | bool | None


def resolve(text: str) -> Scalar:
    """The value of a plain scalar; raises ValueError, saying what is expected, for a number that JSON cannot carry."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text, 10)
    if _BASED.fullmatch(text):
        return _integer(text, 0)
    if _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        return _finite(text)
    return text


def _integer(text: str, base: int) -> int:
    value = int(text, base) if len(text) <= _MOST_DIGITS else None
    if value is None or not -(2**63) <= value < 2**63:
        raise ValueError("a whole number of at most 64 bits")
    return value


def _finite(text: str) -> float:
    value = math.nan if _NOT_FINITE.fullmatch(text) else float(text)
    if not math.isfinite(value):
        raise ValueError("a finite number")
    return value
