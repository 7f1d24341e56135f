"""Turn the validator's errors into problems with a place, in our own words.

The validator's texts, type names and links never reach a person; what it found wrong is told in the words of the file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from loopwright.errors import Problem
from loopwright.spec.complaints import COMPLAINTS, listed, quoted, told
from loopwright.spec.fields import Model, choices_of, homes, item_of, kind_of, model_at, named_fields
from loopwright.spec.notation import IN_QUOTES
from loopwright.spec.positions import Positions, join
from loopwright.spec.reading import Unreadable

Location = tuple[str | int, ...]
Error = Mapping[str, Any]

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_BOOLEAN_WORDS = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}
# The validator's error -> what was expected, from the numbers and names that come with it.
_EXPECTED: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "string_type": lambda _: "text",
    "string_too_short": lambda _: "text that is not empty",
    "int_type": lambda _: "a whole number",
    "int_parsing": lambda _: "a whole number",
    "int_from_float": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "float_parsing": lambda _: "a number",
    "bool_type": lambda _: "`true` or `false`",
    "bool_parsing": lambda _: "`true` or `false`",
    "greater_than": lambda c: f"a number above {c['gt']:g}",
    "greater_than_equal": lambda c: f"a number of at least {c['ge']:g}",
    "less_than": lambda c: f"a number below {c['lt']:g}",
    "less_than_equal": lambda c: f"a number of at most {c['le']:g}",
    "model_type": lambda _: "fields with values",
    "dict_type": lambda _: "names with values",
    "tuple_type": lambda _: "a list",
    "list_type": lambda _: "a list",
    "too_short": lambda c: f"at least {c['min_length']}",
    "too_long": lambda c: f"at most {c['max_length']}",
}


def problems(error: ValidationError, positions: Positions, model: Model) -> list[Problem]:
    """All that is wrong, in the file's order."""
    errors = error.errors(include_url=False)
    meant = {_near_field(model, e["loc"]) for e in errors if e["type"] == "extra_forbidden"}
    told_of: dict[str, Problem] = {}
    for e in errors:
        # A misspelled field is one mistake, and not also a missing one.
        if _unreadable(e) or _miscounted(e) or (e["type"] == "missing" and e["loc"] in meant):
            continue
        for problem in _problems(e, positions, model):
            told_of.setdefault(f"{problem.line}:{problem.column}:{problem.path}:{problem.found}", problem)
    return sorted(told_of.values(), key=lambda problem: (problem.line, problem.column))


def _problems(error: Error, positions: Positions, model: Model) -> list[Problem]:
    location = error["loc"]
    if error["type"] == COMPLAINTS:
        return _complaints(error, positions)
    if error["type"] == "missing":
        return [_missing(location, positions, model)]
    if error["type"] == "extra_forbidden":
        return [_unknown(location, positions, model)]
    return [_wrong(error, positions, model)]


def _unreadable(error: Error) -> bool:
    """Whether the value was no value, so that another problem told of it already."""
    value = error["input"]
    parts = [value, *value.values()] if isinstance(value, dict) and error["type"] == COMPLAINTS else [value]
    return any(isinstance(part, Unreadable) for part in parts)


def _miscounted(error: Error) -> bool:
    """Whether there are entries enough, of which the validator left out those that it refused."""
    return error["type"] == "too_short" and len(error["input"]) >= int(error["ctx"]["min_length"])


def _complaints(error: Error, positions: Positions) -> list[Problem]:
    path, on_key = _stated(error["loc"], positions), error["loc"][-1:] == ("[key]",)
    # Of one value, what was written is shown; of a part with fields, what is wrong with it as a whole.
    as_written = "" if isinstance(error["input"], dict | list) else _found(error, positions, path)
    return [
        positions.problem(
            join(path, c.at), c.found if c.at else as_written or c.found, c.expected, c.hint, on_key
        )
        for c in error["ctx"][COMPLAINTS]
    ]


def _missing(location: Location, positions: Positions, model: Model) -> Problem:
    name = str(location[-1])
    info = _field(model, location)
    about = f": {_lower(info.description)}" if info and info.description else ""
    return positions.problem(location, "nothing", f"the field {quoted(name)}{about.removesuffix('.')}")


def _unknown(location: Location, positions: Positions, model: Model) -> Problem:
    name, names = str(location[-1]), _names(model, location)
    near = _near_field(model, location)
    hint = f"Did you mean `{near[-1]}`?" if near else _elsewhere(model, name)
    return positions.problem(
        location, f"the unknown field {quoted(name)}", f"one of {listed(names)}", hint, on_key=True
    )


def _wrong(error: Error, positions: Positions, model: Model) -> Problem:
    location, kind, value = error["loc"], error["type"], error["input"]
    path = _stated(location, positions)
    info = _field(model, location)
    choices = choices_of(_annotation(model, location))
    say = _EXPECTED.get(kind)
    expected = listed(choices) if choices else say(error.get("ctx", {})) if say else "a value of another kind"
    if kind in ("too_short", "too_long"):
        return positions.problem(path, f"{len(value) or 'no'} entries", f"{expected}{_of(info)}")
    hint = _near_choice(value, choices) if choices else _other_kind(kind, value)
    return positions.problem(path, _found(error, positions, path), expected, hint)


def _other_kind(kind: str, value: object) -> str:
    """What to do about a value of another kind than the field's."""
    if kind == "string_type" and isinstance(value, int | float):
        return IN_QUOTES
    if kind in ("int_type", "float_type") and isinstance(value, str) and _NUMBER.fullmatch(value):
        return "Remove the quotes."
    if kind == "bool_type" and str(value).lower() in _BOOLEAN_WORDS:
        return f"Did you mean `{_BOOLEAN_WORDS[str(value).lower()]}`?"
    return ""


def _of(info: Any) -> str:
    return f" ({_lower(info.description).removesuffix('.')})" if info and info.description else ""


def _found(error: Error, positions: Positions, path: str) -> str:
    written, value = positions.text(path), error["input"]
    if written and not isinstance(value, str | dict | list | None):
        return quoted(written)
    return told(value)


def _stated(location: Location, positions: Positions) -> str:
    """The part of a validator's location that is a place in the file: it adds marks of its own for keys and unions."""
    path = ""
    for part in location:
        below = join(path, str(part))
        if below not in positions.values:
            break
        path = below
    return path


def _annotation(model: Model, location: Location) -> Any:
    """How the value at a place is declared; the innermost one where the place is an item of a list."""
    items = [part for part in location if isinstance(part, int)]
    named = location[: -len(items)] if items and isinstance(location[-1], int) else location
    info = _field(model, named)
    annotation = kind_of(info.annotation) if info else None
    return item_of(annotation) if named != location else annotation


def _field(model: Model, location: Location) -> Any:
    parent = model_at(model, location[:-1]) if location else None
    return named_fields(parent).get(str(location[-1])) if parent else None


def _names(model: Model, location: Location) -> Sequence[str]:
    parent = model_at(model, location[:-1])
    return list(named_fields(parent)) if parent else []


def _near_field(model: Model, location: Location) -> Location | None:
    near = nearest(str(location[-1]), _names(model, location))
    return (*location[:-1], near) if near else None


def _elsewhere(model: Model, name: str) -> str:
    parts = [
        part
        for field, parents in homes(model).items()
        if _plain(field) == _plain(name)
        for part in parents
        if part
    ]
    return f"It belongs in {listed(parts)}." if 0 < len(parts) <= 2 else ""


def _near_choice(value: object, choices: Sequence[str]) -> str:
    near = nearest(str(value).lower(), choices)
    return f"Did you mean `{near}`?" if near else ""


def nearest(name: str, names: Sequence[str]) -> str | None:
    """The name that was most likely meant, in spite of case, `-`, `_` and slips."""
    plain = {_plain(candidate): candidate for candidate in names}
    found = difflib.get_close_matches(_plain(name), list(plain), n=1, cutoff=0.6)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _lower(text: str | None) -> str:
    return text[:1].lower() + text[1:] if text else ""
