"""Whether an answer is what a functional case expects: pure, with a reason for everything that is not.

A case is a dump of the spec's `FunctionalCase`. The status must be exactly the expected one; an expected 2xx must
have a body that is JSON even where nothing in it is looked at; and what is looked at must be there.

Values are compared as JSON: 1 equals 1.0, but true is not 1 and "1" is not 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from loopwright.evaluation.answers import PathError, UnparsableError, excerpt, look_up, parse

_MOST_COMPLAINTS = 3  # of a schema's violations that are told
_LONGEST = 200  # characters of a value that a reason quotes


@dataclass(frozen=True)
class Response:
    """What came back; `seconds` from before the request was sent until its body was read."""

    status: int
    body: bytes
    seconds: float


def check(case: Mapping[str, Any], response: Response) -> list[str]:
    """Why the response is not what the case expects; empty where it is."""
    expected = case["expect"]
    reasons = list(_late(expected.get("max_time"), response.seconds))
    if response.status != expected["status"]:
        return [
            f"status {response.status}, expected {expected['status']}: {excerpt(response.body)}",
            *reasons,
        ]
    values, schema = expected.get("values") or {}, expected.get("schema")
    if not (values or schema or 200 <= response.status < 300):
        return reasons
    try:
        answer = parse(response.body)
    except UnparsableError as error:
        return [f"the body is not JSON ({error}): {excerpt(response.body)}", *reasons]
    for path, wanted in values.items():
        reasons += _value(answer, path, wanted)
    return reasons + (_schema(answer, schema) if schema else [])


def _late(allowed: float | None, seconds: float) -> Iterator[str]:
    if allowed is not None and seconds > allowed:
        yield f"the answer took {seconds * 1000:.0f} ms, expected at most {allowed * 1000:g} ms"


def _value(answer: Any, path: str, wanted: Any) -> list[str]:
    """`wanted` is a value, or {equals: ...}, {min: ..., max: ...}, {one_of: [...]}."""
    try:
        found = look_up(answer, path)
    except PathError as error:
        return [str(error)]
    condition = wanted if isinstance(wanted, Mapping) else {"equals": wanted}
    where = path or "the answer"
    return [f"{where} is {_shown(found)}, expected {told}" for told in _unmet(found, condition)]


def _unmet(found: Any, condition: Mapping[str, Any]) -> Iterator[str]:
    """What of a condition does not hold; a condition that nobody knows never does."""
    for kind, wanted in condition.items():
        if kind == "equals":
            holds, told = same(found, wanted), _shown(wanted)
        elif kind == "one_of":
            holds, told = any(same(found, one) for one in wanted), f"one of {_shown(wanted)}"
        elif kind == "min":
            holds, told = _is_number(found) and found >= wanted, f"a number of at least {wanted:.10g}"
        elif kind == "max":
            holds, told = _is_number(found) and found <= wanted, f"a number of at most {wanted:.10g}"
        else:
            holds, told = False, f"something by an unknown condition `{kind}`"
        if not holds:
            yield told
    if not condition:
        yield "something by an empty condition"


def same(one: Any, other: Any) -> bool:
    """Equality of JSON values. Python alone would call true equal to 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _schema(answer: Any, schema: dict[str, Any]) -> list[str]:
    """Violations of a JSON Schema. Nothing is fetched: a reference to elsewhere is a reason of its own."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import EMPTY_REGISTRY

    validator = validator_for(schema, default=Draft202012Validator)
    try:
        validator.check_schema(schema)
        errors = sorted(
            validator(schema, registry=EMPTY_REGISTRY).iter_errors(answer), key=lambda error: error.json_path
        )
    except SchemaError as error:
        return [f"the case's schema is no JSON Schema: {error.message}"]
    except Unresolvable as error:
        return [f"the case's schema refers to {error.ref}, which is not in it"]
    told = [
        f"{error.json_path} does not meet the schema: {error.message[:_LONGEST]}"
        for error in errors[:_MOST_COMPLAINTS]
    ]
    more = len(errors) - len(told)
    return [*told, f"and {more} more violations of the schema"] if more else told


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
