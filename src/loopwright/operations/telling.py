"""Values as JSON for programs: moments in UTC as ISO 8601, to the millisecond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

_MOMENTS = ("at", "since", "until")  # fields that hold one, and all that end in `_at`


def utc(moment: float) -> str:
    """Seconds since the epoch, as text."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def told(value: object) -> Any:
    """A frozen value with all in it as JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _part(field.name, getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): told(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [told(part) for part in value]
    return value


def _part(name: str, value: object) -> Any:
    if isinstance(value, float) and (name in _MOMENTS or name.endswith("_at")):
        return utc(value)
    return told(value)
