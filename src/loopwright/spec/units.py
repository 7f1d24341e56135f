"""Durations, shares, cores and bytes in the notations of the field.

Each type takes the text forms and plain numbers, refuses all else with an example of what it takes, and says the same
in the JSON Schema. Sums are done in whole thousandths, so that `0.1s` and `100ms` are the same number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from loopwright.spec.notation import Notation, Quantity

_NUMBER = r"[0-9]{1,9}(\.[0-9]{1,3})?"
_NOT_ZERO = r"(?=.*[1-9])"


def _thousandths(text: str) -> int:
    whole, _, decimals = text.partition(".")
    return int(whole) * 1000 + int(decimals.ljust(3, "0") or 0)


# Durations

_MICROSECONDS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}
_DECIMALS = r"(\.[0-9]{1,3})?"
_DURATION = rf"(?=.)([0-9]{{1,4}}{_DECIMALS}d)?([0-9]{{1,5}}{_DECIMALS}h)?([0-9]{{1,7}}{_DECIMALS}m)?([0-9]{{1,9}}{_DECIMALS}s)?([0-9]{{1,12}}{_DECIMALS}ms)?"
_DURATION_PART = re.compile(r"([0-9.]+)(ms|[dhms])")
_LONGEST = 4e9  # seconds: what the longest text can say, so that every value that was read can be read again
_UNIT_WORDS = (
    (r"(milliseconds?|millis|msecs?)", "ms"),
    (r"(seconds?|secs?)", "s"),
    (r"(minutes?|mins?)", "m"),
    (r"(hours?|hrs?)", "h"),
    (r"days?", "d"),
)


def _read_duration(text: str) -> float:
    parts = _DURATION_PART.findall(text)
    return sum(_thousandths(number) * _MICROSECONDS[unit] for number, unit in parts) // 1000 / 1e6


def show_duration(seconds: float) -> str:
    """Seconds as text that reads as the same duration, to the microsecond."""
    left, text = round(seconds * 1e6), ""
    for unit in ("d", "h", "m"):
        count, left = divmod(left, _MICROSECONDS[unit])
        text += f"{count}{unit}" if count else ""
    whole, rest = divmod(left, _MICROSECONDS["s"])
    if whole and rest % 1000 == 0:
        return f"{text}{_shortest(left // 1000)}s"
    text += f"{whole}s" if whole else ""
    text += f"{_shortest(rest)}ms" if rest else ""
    return text or "0s"


def _shortest(thousandths: int) -> str:
    return f"{thousandths // 1000}.{thousandths % 1000:03}".rstrip("0").rstrip(".")


def _near_duration(value: object) -> str:
    text = str(value).lower().replace(" ", "")
    for words, unit in _UNIT_WORDS:
        text = re.sub(words, unit, text)
    return f"{text}s" if text.isdecimal() else text


def _duration(positive: bool) -> Notation:
    least = {"exclusiveMinimum": 0} if positive else {"minimum": 0}
    return Quantity(
        "duration",
        f"a duration{' above 0' if positive else ''} in d, h, m, s or ms, such as `30d`, `1h30m` or `250ms` (a plain number is seconds)",
        (_NOT_ZERO if positive else "") + _DURATION,
        {"type": "number", **least, "maximum": _LONGEST},
        _read_duration,
        show_duration,
        _near_duration,
    ).notation()


Duration = Annotated[float, _duration(positive=False)]
"""Seconds, 0 or more."""
PositiveDuration = Annotated[float, _duration(positive=True)]
"""Seconds, more than 0."""


# Shares

_UNDER_100 = r"[0-9]{1,2}(\.[0-9]{1,3})?"


def _read_percent(text: str) -> float:
    sign = -1 if text.startswith("-") else 1
    return sign * _thousandths(text.lstrip("-").removesuffix("%")) / 100_000


def show_fraction(value: float) -> str:
    """A share as a percentage where three decimals suffice, else as the plain number."""
    sign, thousandths = "-" if value < 0 else "", round(abs(value) * 100_000)
    text = f"{sign}{_shortest(thousandths)}%"
    return text if _read_percent(text) == value else repr(value)


def _near_percent(value: object) -> str:
    text = str(value).replace(" ", "").removesuffix("percent")
    if isinstance(value, int | float):
        return f"{text}%"
    number = re.fullmatch(r"-?0?\.[0-9]+", text)
    return show_fraction(float(text)) if number else f"{text.removesuffix('%')}%"


def _fraction(expected: str, pattern: str, numbers: Mapping[str, Any]) -> Notation:
    expected += ", such as `70%` or 0.7"
    return Quantity(
        "share", expected, pattern, {"type": "number", **numbers}, _read_percent, show_fraction, _near_percent
    ).notation()


_TO_100 = rf"({_UNDER_100}|100(\.0{{1,3}})?)%"

Fraction = Annotated[float, _fraction("a share from 0% to 100%", _TO_100, {"minimum": 0, "maximum": 1})]
"""0 to 1."""
PositiveFraction = Annotated[
    float,
    _fraction("a share above 0% and up to 100%", _NOT_ZERO + _TO_100, {"exclusiveMinimum": 0, "maximum": 1}),
]
"""More than 0, up to 1."""
ProperFraction = Annotated[
    float,
    _fraction(
        "a share above 0% and below 100%",
        f"{_NOT_ZERO}{_UNDER_100}%",
        {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    ),
]
"""More than 0, less than 1."""
SignedFraction = Annotated[
    float,
    Quantity(
        "number or %",
        "a number or a percentage, such as 0.75, `75%` or -0.01",
        rf"-?{_NUMBER}%",
        {"type": "number"},
        _read_percent,
        repr,
        _near_percent,
    ).notation(),
]
"""Any finite number; a percentage is a hundredth."""


# Cores and bytes


def _read_cores(text: str) -> float:
    return int(text[:-1]) / 1000 if text.endswith("m") else _thousandths(text) / 1000


def show_cores(cores: float) -> str:
    """Cores as a plain number, or as thousandths below one core."""
    thousandths = round(cores * 1000)
    return f"{thousandths}m" if cores < 1 else _shortest(thousandths)


def _near_cores(value: object) -> str:
    return re.sub(r"(v?cpus?|cores?)$", "", str(value).lower().replace(" ", ""))


Cores = Annotated[
    float,
    Quantity(
        "cores",
        "a number of cores above 0, such as 2, 0.5 or `500m` (thousandths)",
        rf"{_NOT_ZERO}([0-9]{{1,7}}m|[0-9]{{1,4}}{_DECIMALS})",
        {"type": "number", "minimum": 0.001, "maximum": 10_000},
        _read_cores,
        show_cores,
        _near_cores,
    ).notation(),
]
"""Cores, more than 0."""

_BYTES = {
    "": 1,
    "k": 10**3,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
_MOST_BYTES = 2**60
_DIGITS = (("(k|Ki?)", 15), ("Mi?", 12), ("Gi?", 9), ("Ti?", 6), ("", 18))  # all below the most
_BYTES_TEXT = "|".join(f"[0-9]{{1,{digits}}}{_DECIMALS if unit else ''}{unit}" for unit, digits in _DIGITS)


def _read_bytes(text: str) -> int:
    number = text.rstrip("kKMGTi")
    return _thousandths(number) * _BYTES[text[len(number) :]] // 1000


def show_bytes(count: int) -> str:
    """Bytes with the greatest binary unit that says them exactly."""
    unit = next((unit for unit in ("Ti", "Gi", "Mi", "Ki") if count and count % _BYTES[unit] == 0), "")
    return f"{count // _BYTES[unit]}{unit}"


def _near_bytes(value: object) -> str:
    text = re.sub(r"(?i)b(ytes?)?$", "", str(value).replace(" ", ""))
    found = re.fullmatch(r"([0-9.]+)([kmgt])(i?)", text, re.IGNORECASE)
    # `500m` is half a byte elsewhere, and half a gibibyte in the head of whoever wrote it.
    return f"{found[1]}{found[2].upper()}i" if found else text


Bytes = Annotated[
    int,
    Quantity(
        "size",
        "a size in bytes above 0 with Ki, Mi, Gi, Ti or k, M, G, T, such as `512Mi`, `1G` or 1048576",
        f"{_NOT_ZERO}({_BYTES_TEXT})",
        {"type": "integer", "minimum": 1, "maximum": _MOST_BYTES},
        _read_bytes,
        show_bytes,
        _near_bytes,
        convert=int,
    ).notation(),
]
"""Bytes, more than 0."""
