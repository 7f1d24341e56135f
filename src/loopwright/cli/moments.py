"""Moments as people type them: `2026-03-01`, `2026-03-01T14:05`, `2h`, `3d`, `yesterday`, `now`."""

from __future__ import annotations

import argparse
import re
import time
from datetime import datetime, timedelta

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)(?:\s+ago)?")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EXPECTED = "a time such as 2026-03-01, 2026-03-01T14:05, 2026-03-01T14:05:00+01:00, 2h or 3d (ago), today, yesterday or now"


def beginning(text: str) -> float:
    """Seconds since the epoch; a day stands for its first moment, a time without an offset is this machine's."""
    return _moment(text, time.time(), last=False)


def end(text: str) -> float:
    """As `beginning`, but a day stands for its last moment."""
    return _moment(text, time.time(), last=True)


def past(text: str) -> float | str:
    """As `beginning`, for a moment that must have come; `now` stays `now`."""
    if text.strip().lower() == "now":
        return "now"
    found = beginning(text)
    if found > time.time():
        raise argparse.ArgumentTypeError(
            f"found {text!r}, which is still to come, expected a moment up to now"
        )
    return found


def _moment(text: str, now: float, last: bool) -> float:
    given = text.strip()
    ago = _AGO.fullmatch(given.lower())
    if given.lower() == "now":
        return now
    if ago:
        return max(0.0, now - float(ago[1]) * _SECONDS[ago[2]])
    if given.lower() in ("today", "yesterday"):
        day = datetime.fromtimestamp(now).astimezone().date() - timedelta(days=given.lower() == "yesterday")
        given = day.isoformat()
    try:
        parsed = datetime.fromisoformat(given)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected {_EXPECTED}") from None
    if last and _DAY.fullmatch(given):
        parsed += timedelta(days=1) - timedelta(microseconds=1)
    return parsed.astimezone().timestamp()
