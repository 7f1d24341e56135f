"""Predictions in the answers of a scoring script: its JSON is its own, so they are looked up at a path, off the path of requests.

The path is the one that evaluation uses: `prediction`, `result.0.label`, or empty for the answer itself. An answer that
is a list with as many items as the request has rows is one answer for each row, and so is a list that stands at the path.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

MOST = 256 * 1024  # bytes of an answer that is read: decoding more would hold up requests
_decode = msgspec.json.Decoder().decode


def read(body: bytes, rows: int | None, paths: Sequence[str]) -> list[list[Any]]:
    """The values at each path, one for each of the rows (None: as many as the answer has); None where there is none."""
    answer = _parsed(body)
    items = _items(answer, rows)
    if items is not None:
        return [[_at(item, path) for item in items] for path in paths]
    return [_spread(_at(answer, path), rows or 1) for path in paths]


def _parsed(body: bytes) -> Any:
    if len(body) > MOST:
        return None
    try:
        answer = _decode(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(answer, str):
        with suppress(ValueError, RecursionError):  # else it is plain text
            return _decode(answer)  # from a script that returns json.dumps(...)
    return answer


def _items(answer: Any, rows: int | None) -> list[Any] | None:
    if not isinstance(answer, list) or not answer:
        return None
    return answer if rows is None or len(answer) == rows else None


def _spread(value: Any, rows: int) -> list[Any]:
    if isinstance(value, list) and len(value) == rows:
        return value
    return [value] if rows == 1 else [None] * rows


def _at(value: Any, path: str) -> Any:
    for part in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
