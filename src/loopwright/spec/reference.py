"""The reference of every field, generated from the models: `python -m loopwright.spec.reference > docs/reference/spec.md`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, get_origin

from pydantic.fields import FieldInfo

from loopwright.spec.cases import CasesFile
from loopwright.spec.fields import (
    Model,
    Place,
    choices_of,
    item_of,
    kind_of,
    model_in,
    named_fields,
    notation_of,
    walk,
)
from loopwright.spec.models import Workload
from loopwright.spec.traps import CASE_TRAPS, TRAPS

_HEADER = "| field | value | default | meaning |\n|---|---|---|---|\n"
_PLAIN = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    dict: "fields",
    Any: "any value",
}
_INTRODUCTION = """# Reference: loopwright.yaml

<!-- Written by `python -m loopwright.spec.reference`; a test compares. Change the models, not this page. -->

One file declares one workload. The file is YAML 1.2 in UTF-8: `no`, `1:30` and `2024-01-01` are text, only `true` and
`false` are booleans. A key written twice, an unknown field, an alias, anchor or tag is an error; every error names file,
line, column and field, and all are told at once. `NAME` stands for a name of your own; fields marked *required* have no
default. `loopwright schema` prints the JSON Schema for editors.
"""
_NOTATIONS = """## Notations

| notation | examples | meaning |
|---|---|---|
| duration | `30d`, `1h30m`, `2s`, `250ms` | d, h, m, s, ms in this order; a plain number is seconds |
| share | `70%`, 0.7 | a percentage, or a number from 0 to 1 |
| number or % | 0.75, `75%`, -0.01 | any number; a percentage is a hundredth |
| cores | 2, 0.5, `500m` | `m` is a thousandth of a core |
| size | `512Mi`, `1Gi`, `1G`, 1048576 | Ki, Mi, Gi, Ti are powers of 1024; k (or K), M, G, T powers of 1000; a plain number is bytes |
| path | `data/rows.csv` | inside the workload's folder: not absolute, no `..`, no link that leads out |
| path in outputs | `model.joblib`, `model` | inside what training writes into `{outputs}` |
| origin | `https://app.example.com`, `*` | scheme, host and port of web pages, without a path |
| pattern | `*.py`, `src/**/*.py` | paths inside the workload's folder |
| place | `prediction`, `result.0.label` | names and list positions in an answer |
| header | `application/json` | the value of an HTTP header |
"""


def markdown() -> str:
    """The whole page."""
    cases = "\n## Functional cases\n\nThe file that `tests.functional` names.\n\n"
    return "".join(
        (_INTRODUCTION, *_sections(Workload), "\n", _NOTATIONS, cases, *_tables(CasesFile), _warnings())
    )


def _sections(model: Model) -> Iterator[str]:
    yield f"\n## The file\n\n{_HEADER}"
    yield from (_row(place) for place in walk(model) if "." not in place.path)
    for name, info in named_fields(model).items():
        below = model_in(info.annotation)
        if below is not None:
            prefix = f"{name}.NAME" if get_origin(kind_of(info.annotation)) is dict else name
            yield f"\n## {prefix}\n\n{_about(below)}\n\n"
            yield from _tables(below, prefix)


def _tables(model: Model, prefix: str = "") -> Iterator[str]:
    yield _HEADER
    yield from (_row(place) for place in walk(model, prefix))


def _row(place: Place) -> str:
    path = place.path.replace(".*", "[]")
    return f"| `{path}` | {_value(place.info)} | {_default(place.info)} | {_cell(place.info.description or '')} |\n"


def _value(info: FieldInfo) -> str:
    choices = choices_of(info.annotation)
    if choices:
        return _cell(" or ".join(f"`{choice}`" for choice in choices))
    kind = kind_of(info.annotation)
    if get_origin(kind) is tuple:
        return "list" if model_in(kind) else f"list of {_named(item_of(kind))}s"
    if get_origin(kind) is dict:
        return "names with values"
    notation = notation_of(info)
    if notation is not None:
        return notation.name
    return "fields" if model_in(kind) else f"{_PLAIN[kind]}{_bounds(info)}"


def _bounds(info: FieldInfo) -> str:
    limits = {
        name: getattr(data, name)
        for data in info.metadata
        for name in ("ge", "le", "gt")
        if hasattr(data, name)
    }
    if "gt" in limits:
        return f" above {limits['gt']}"
    return f" from {limits['ge']} to {limits['le']}" if limits else ""


def _named(annotation: Any) -> str:
    return next(
        (data.name for data in getattr(annotation, "__metadata__", ()) if hasattr(data, "name")), "text"
    )


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "*required*"
    value, notation = info.default, notation_of(info)
    if value is None or value in ("", (), {}) or model_in(kind_of(info.annotation)):
        return ""
    return f"`{notation.show(value) if notation else json.dumps(value).strip(chr(34))}`"


def _about(model: Model) -> str:
    return (model.__doc__ or "").strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _warnings() -> str:
    rows = [f"| `{trap.code}` | {trap.when} |\n" for trap in TRAPS]
    rows += [f"| `{code}` | {when} |\n" for code, when in CASE_TRAPS]
    lead = "\n## Warnings\n\n`loopwright validate` and `up` warn of specs that are valid and that rarely do what was meant.\n\n"
    return f"{lead}| code | when |\n|---|---|\n{''.join(rows)}"


if __name__ == "__main__":
    sys.stdout.write(markdown())
