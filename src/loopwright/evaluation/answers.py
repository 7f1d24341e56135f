"""Reading an endpoint's answer: is it JSON, and what stands at a dotted path in it.

Used for held-out rows, functional cases and load alike, so that all three agree on what "parsable" means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

_SHOWN = 300  # characters of a body that a message quotes


class UnparsableError(ValueError):
    """The body is not JSON."""


class PathError(LookupError):
    """The answer has nothing at the path; the text says what it has there."""


def parse(body: bytes) -> Any:
    """The JSON value of a body, by the letter of RFC 8259 (so NaN is refused); raises UnparsableError."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise UnparsableError(str(error)) from None


def excerpt(body: bytes) -> str:
    """The first 300 characters of a body, on one line, for a message."""
    text = " ".join(body[: 4 * _SHOWN].decode("utf-8", "replace").split())
    return text[:_SHOWN] if text else "an empty body"


def look_up(answer: Any, path: str) -> Any:
    """What stands at a dotted path such as `result.0.label`; the empty path is the answer itself.

    An answer that is a string of JSON (a scoring script that returns `json.dumps(...)`) is read as that JSON, since a
    path into a string means nothing else. Raises PathError.
    """
    parts = path.split(".") if path else []
    if parts and isinstance(answer, str):
        answer = _unwrapped(answer)
    for depth, part in enumerate(parts):
        answer = _step(answer, part, ".".join(parts[:depth]) or "the answer")
    return answer


def _unwrapped(text: str) -> Any:
    try:
        return parse(text.encode())
    except UnparsableError:
        raise PathError("the answer is plain text, not an object or a list") from None


def _step(value: Any, part: str, where: str) -> Any:
    if isinstance(value, Mapping):
        if part in value:
            return value[part]
        raise PathError(
            f"{where} has no `{part}`; it has {', '.join(f'`{key}`' for key in value) or 'nothing'}"
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        if part.isascii() and part.isdigit() and int(part) < len(value):
            return value[int(part)]
        raise PathError(f"{where} is a list of {len(value)}, which has no `{part}`")
    raise PathError(f"{where} is {msgspec.json.encode(value).decode()[:80]}, which has no parts")
