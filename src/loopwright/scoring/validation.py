"""Whether a body holds rows that the model can take; the service asks before it admits a request.

Two readers of one law. `_Law` states it in Python, input by input, and says exactly what is wrong; `Validator` first
tries a msgspec decoder built from the same inputs, which accepts almost every good body at the speed of C. What that
decoder does not accept, the law decides, so the quick way may be narrower than the law but never wider.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec

from loopwright.scoring.refusals import InvalidInput, NotJson
from loopwright.scoring.settings import Input

_LEAST, _MOST = -(2**63), 2**63 - 1  # what a column of integers holds
_TYPES: dict[str, Any] = {
    "integer": Annotated[int, msgspec.Meta(ge=_LEAST, le=_MOST)],
    "number": float,
    "string": str,
    "boolean": bool,
}
_NAMES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "list",
    dict: "object",
    type(None): "null",
}
_ARTICLES = {"integer": "an integer", "number": "a number", "string": "a string", "boolean": "true or false"}
_LONGEST_FOUND = 60
_SPACE = b" \t\r\n"


def _is_integer(value: object) -> bool:
    if isinstance(value, float):
        return value.is_integer() and _LEAST <= value <= _MOST
    return isinstance(value, int) and not isinstance(value, bool) and _LEAST <= value <= _MOST


def _is_number(value: object) -> bool:
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    )


_CHECKS: dict[str, Callable[[object], bool]] = {
    "integer": _is_integer,
    "number": _is_number,
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
}


class Validator:
    """Accepts a JSON object, a list of objects, or {"data": [objects]}; unknown fields and categories pass."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        row = _row_type(inputs)
        self._law = _Law(inputs)
        self._one = msgspec.json.Decoder(row)
        self._many = msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
        wrapped = msgspec.defstruct("Wrapped", [("data", list[row])])  # type: ignore[valid-type]
        self._wrapped = msgspec.json.Decoder(wrapped)

    def check(self, body: bytes) -> None:
        """Return if the body will do; raise NotJson or InvalidInput."""
        try:
            self._decoder(body).decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._law.check(_decode(body))

    def _decoder(self, body: bytes) -> msgspec.json.Decoder[Any]:
        if body.lstrip(_SPACE)[:1] == b"[":
            return self._many
        if self._law.may_wrap and (
            b'"data"' in body or b"\\u00" in body
        ):  # the key may be spelt with escapes
            return self._wrapped
        return self._one


class _Law:
    """What a body must be, with the reason where it is not."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self.may_wrap = all(one.name != "data" for one in inputs)
        self._checks = [(one.name, one.nullable, _CHECKS[one.type], _expected(one)) for one in inputs]

    def check(self, value: object) -> None:
        if isinstance(value, dict) and self.may_wrap and isinstance(value.get("data"), list):
            value = value["data"]
        if isinstance(value, dict):
            self._check_row(0, value)
        elif isinstance(value, list):
            for number, row in enumerate(value):
                self._check_row(number, row)
        else:
            raise InvalidInput(
                None, None, _found(value), 'an object, a list of objects, or {"data": [objects]}'
            )

    def _check_row(self, number: int, row: object) -> None:
        if not isinstance(row, dict):
            raise InvalidInput(None, number, _found(row), "an object with the model's inputs")
        for name, nullable, accepts, expected in self._checks:
            value = row.get(name)
            if value is None:
                if not nullable:
                    raise InvalidInput(name, number, "null" if name in row else "missing", expected)
            elif not accepts(value):
                raise InvalidInput(name, number, _found(value), expected)


def _row_type(inputs: Sequence[Input]) -> type[msgspec.Struct]:
    fields: list[tuple[str, Any, Any]] = []
    for number, one in enumerate(inputs):
        of: Any = _TYPES[one.type]
        if one.nullable:
            fields.append((f"f{number}", of | None, msgspec.field(name=one.name, default=None)))
        else:
            fields.append((f"f{number}", of, msgspec.field(name=one.name)))
    return msgspec.defstruct("Row", fields, kw_only=True, gc=False)


def _decode(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except msgspec.ValidationError as error:  # well-formed, but a number that no float holds
        raise InvalidInput(
            None, None, f"not readable ({error})", "numbers that a 64-bit float holds"
        ) from error
    except UnicodeDecodeError as error:
        raise NotJson(f"The body is not UTF-8 text: {error.reason}.") from error
    except RecursionError as error:
        raise NotJson("The body is nested too deeply.") from error
    except msgspec.DecodeError as error:
        raise _not_json(body, str(error)) from error


def _not_json(body: bytes, reason: str) -> NotJson:
    """Say where the body stops being JSON; the standard library's reader knows line and column."""
    try:
        json.loads(body)
    except json.JSONDecodeError as error:
        where = {"position": error.pos, "line": error.lineno, "column": error.colno}
        return NotJson(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.", **where
        )
    except (UnicodeDecodeError, RecursionError, ValueError):
        pass
    return NotJson(f"The body is not JSON: {reason}.")


def _expected(one: Input) -> str:
    return f"{_ARTICLES[one.type]}{' or null' if one.nullable else ''}"


def _found(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value, ensure_ascii=False)
    shown = text if len(text) <= _LONGEST_FOUND else f"{text[:_LONGEST_FOUND]}..."
    beyond = " beyond 64 bits" if isinstance(value, int) and not _LEAST <= value <= _MOST else ""
    return f"{shown} ({_NAMES[type(value)]}{beyond})"
