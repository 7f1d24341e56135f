"""What a row must be: the law of the package's signature, by which `rows` reads bodies.

Two readers of one law. `Law` states it in Python, input by input, and says exactly what is wrong; `row_type` is a msgspec
type built from the same inputs, by which almost every good body is read at the speed of C. What that does not accept, the
law decides, so the quick way may be narrower than the law but never wider.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
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


def _is_integer(value: object) -> bool:
    if isinstance(value, float):
        return value.is_integer() and _LEAST <= value <= _MOST
    return isinstance(value, int) and not isinstance(value, bool) and _LEAST <= value <= _MOST


def _is_number(value: object) -> bool:
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    )


_Check = tuple[str, bool, Callable[[object], bool], Callable[[Any], Any] | None, str]
_CONVERSIONS: dict[str, Callable[[Any], Any]] = {"integer": int, "number": float}
_CHECKS: dict[str, Callable[[object], bool]] = {
    "integer": _is_integer,
    "number": _is_number,
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
}


class Law:
    """What a row must be, with the reason where it is not."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self._checks = [
            (one.name, one.nullable, _CHECKS[one.type], _CONVERSIONS.get(one.type), _expected(one))
            for one in inputs
        ]

    def expected(self, name: str) -> str:
        """What an input must be, in words."""
        return next(expected for own, _, _, _, expected in self._checks if own == name)

    def row(self, number: int, record: Mapping[str, object]) -> tuple[Any, ...]:
        """The values of an object in the order of the inputs; raises InvalidInput for the first that will not do."""
        return tuple(
            [self._value(number, check, record.get(check[0]), check[0] in record) for check in self._checks]
        )

    def values(self, number: int, values: Iterable[object]) -> tuple[Any, ...]:
        """The same of values that are in that order already, one for each input."""
        return tuple(
            [
                self._value(number, check, value, True)
                for check, value in zip(self._checks, values, strict=True)
            ]
        )

    def _value(self, number: int, check: _Check, value: object, given: bool) -> Any:
        name, nullable, accepts, convert, expected = check
        if value is None:
            if not nullable:
                raise InvalidInput(name, number, "null" if given else "missing", expected)
            return None
        if not accepts(value):
            raise InvalidInput(name, number, found(value), expected)
        return convert(value) if convert else value


def row_type(inputs: Sequence[Input], extra: Sequence[str] = ()) -> type[msgspec.Struct]:
    """The type of an object that the law surely accepts, its fields in the order of the inputs, and `extra` ones after."""
    fields: list[tuple[str, Any, Any]] = []
    for number, one in enumerate(inputs):
        of: Any = _TYPES[one.type]
        if one.nullable:
            fields.append((f"f{number}", of | None, msgspec.field(name=one.name, default=None)))
        else:
            fields.append((f"f{number}", of, msgspec.field(name=one.name)))
    for number, name in enumerate(extra):
        fields.append((f"e{number}", Any, msgspec.field(name=name, default=None)))
    return msgspec.defstruct("Row", fields, kw_only=True, gc=bool(extra))


def decode(body: bytes) -> object:
    """What a JSON body holds; raises NotJson, or InvalidInput for a number that no float holds."""
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


def found(value: object) -> str:
    """A value as messages show it, with its type."""
    if value is None:
        return "null"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value, ensure_ascii=False)
    shown = text if len(text) <= _LONGEST_FOUND else f"{text[:_LONGEST_FOUND]}..."
    beyond = " beyond 64 bits" if isinstance(value, int) and not _LEAST <= value <= _MOST else ""
    return f"{shown} ({_NAMES[type(value)]}{beyond})"
