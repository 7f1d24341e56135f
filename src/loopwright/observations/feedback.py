"""Feedback: the body of `POST /feedback` read as events, or refused with one sentence. Pure; called by a replica's front.

    {"id": "4f1d-2a", "label": 1}                                    what a request was really about
    {"client_id": "order-7", "row": 2, "event": "refund", "value": 9.5, "time": "2026-03-01T12:00:00Z"}
    [{...}, {...}]                                                   several

`id` is the x-request-id that the answer had; `client_id` is what the client itself had sent as x-request-id.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from loopwright.observations.blocks import Event

MOST = 10_000  # events in one body
_LONGEST = 1_000  # characters of a text
_FIELDS = ("id", "client_id", "row", "label", "event", "value", "time")
_LAST = 253_402_300_800.0  # seconds since the epoch: the year 10000


class InvalidFeedback(ValueError):  # noqa: N818  (a refusal, as those of the scorer)
    """The body is no feedback. `field` is the field that is wrong, `item` its place in a list; None where it is the body."""

    def __init__(self, message: str, field: str | None = None, item: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.item = item


def parse(body: bytes, now: float | None = None) -> list[Event]:
    """The events of a body; `now` (seconds since the epoch) is when those happened that do not say. Raises InvalidFeedback."""
    try:
        content = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise InvalidFeedback(f"The body is not JSON: {error}.") from None
    moment = time.time() if now is None else now
    if isinstance(content, dict):
        return [_event(content, None, moment)]
    if not isinstance(content, list) or not content:
        raise InvalidFeedback(
            f'The body is {_kind(content)}, expected an object such as {{"id": "...", "label": 1}} or a list of them.'
        )
    if len(content) > MOST:
        raise InvalidFeedback(
            f"The body has {len(content)} items, expected at most {MOST}: send it in parts."
        )
    return [_event(item, place, moment) for place, item in enumerate(content)]


def _event(item: object, place: int | None, now: float) -> Event:
    if not isinstance(item, dict):
        raise InvalidFeedback(f"{_at(place)} is {_kind(item)}, expected an object.", None, place)
    for name in item:
        if name not in _FIELDS:
            raise _refused(place, name, "is not known", f"one of {', '.join(_FIELDS)}")
    if ("id" in item) == ("client_id" in item):
        raise _refused(
            place,
            "id",
            "is missing" if "id" not in item else "stands beside `client_id`",
            "one of `id` and `client_id`",
        )
    if item.get("label") is None and item.get("event") is None:
        raise _refused(place, "label", "is missing", "a `label`, an `event`, or both")
    return Event(
        at=_time(item, place, now),
        id=_text(item, place, "id"),
        client_id=_text(item, place, "client_id"),
        row=_row(item, place),
        label=_scalar(item, place, "label"),
        event=_text(item, place, "event"),
        value=_scalar(item, place, "value"),
    )


def _text(item: Mapping[str, Any], place: int | None, name: str) -> str | None:
    value = item.get(name)
    if value is None and name == "event":
        return None
    if name in item and (not isinstance(value, str) or not 0 < len(value) <= _LONGEST):
        raise _refused(place, name, f"is {_kind(value)}", f"a text of 1 to {_LONGEST} characters")
    return value


def _scalar(item: Mapping[str, Any], place: int | None, name: str) -> Any:
    value = item.get(name)
    expected = f"a text of at most {_LONGEST} characters, a number, true or false"
    if isinstance(value, list | dict) or (isinstance(value, str) and len(value) > _LONGEST):
        raise _refused(place, name, f"is {_kind(value)}", expected)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise _refused(place, name, "is an integer of more than 64 bits", "a smaller one, or a text")
    return value


def _row(item: Mapping[str, Any], place: int | None) -> int:
    value = item.get("row", 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise _refused(place, "row", f"is {_kind(value)}", "the number of a row of that request, from 0")
    return value


def _time(item: Mapping[str, Any], place: int | None, now: float) -> float:
    value = item.get("time", now)
    found = _moment(value) if isinstance(value, str) else value
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < _LAST:
        raise _refused(
            place,
            "time",
            f"is {_kind(value)}",
            "such as 2026-03-01T12:00:00Z, with an offset, or seconds since 1970",
        )
    return float(found)


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return moment.timestamp() if moment.tzinfo else None
    except (OverflowError, ValueError):
        return None


def _refused(place: int | None, name: str, found: str, expected: str) -> InvalidFeedback:
    before = "" if place is None else f"{_at(place)}: "
    return InvalidFeedback(f"{before}`{name}` {found}, expected {expected}.", name, place)


def _at(place: int | None) -> str:
    return "The body" if place is None else f"Item {place}"


def _kind(value: object) -> str:
    """What a value is, as a message names it."""
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= 50 else f"a text of {len(value)} characters"
    if isinstance(value, list):
        return "an empty list" if not value else "a list"
    return "an object" if isinstance(value, dict) else msgspec.json.encode(value).decode()
