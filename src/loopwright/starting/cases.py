"""The drafted functional cases: rows of the training data, and what the endpoint must say to them and to wrong requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopwright.datasets.profile import plain
from loopwright.starting.columns import Columns
from loopwright.starting.label import Label

Row = dict[str, Any]

_HEAD = """\
# Sent to dev, through the gateway, before production is asked for. A case passes if all that it expects holds.
# Drafted from rows of the training data. Add cases of your own: rows of which you know what the answer must be.
cases:
"""


def functional(columns: Columns, label: Label, train: NDArray[np.bool_]) -> str:
    """tests/functional.yaml; requests are JSON, which is YAML too."""
    rows = _rows(columns, np.flatnonzero(train))
    return _HEAD + "\n".join(_cases(columns, label, rows))


def _rows(columns: Columns, chosen: NDArray[np.intp]) -> list[Row]:
    """The first row that lacks nothing, and the last one."""
    lacking = np.zeros(len(chosen), dtype=bool)
    for feature in columns.features:
        lacking |= feature.column.missing[chosen]
    complete = chosen[~lacking]
    numbers = (int((complete if complete.size else chosen)[0]), int(chosen[-1]))
    return [
        {feature.name: plain(feature.column.values.iloc[number]) for feature in columns.features}
        for number in numbers
    ]


def _cases(columns: Columns, label: Label, rows: list[Row]) -> Iterator[str]:
    expected = _expected(label)
    yield _case("a row gets an answer of the right form", rows[0], f"{{values: {{prediction: {expected}}}}}")
    both = f"{{values: {{0.prediction: {expected}, 1.prediction: {expected}}}, schema: {{type: array, minItems: 2, maxItems: 2}}}}"
    yield _case("two rows get two answers, in their order", rows, both)
    word = next(iter(columns.of("category")), None)
    if word is not None:
        unseen = rows[0] | {word: "never seen before"}
        yield _case(
            "a category that was never seen is no error", unseen, f"{{values: {{prediction: {expected}}}}}"
        )
    yield from _missing(columns, rows[0], expected)
    number = next(iter(columns.of("number")), None)
    if number is not None:
        wrong = f"{{status: 422, values: {{error.field: {_json(number)}}}}}"
        yield _case("a wrong type is refused by its field", rows[0] | {number: "many"}, wrong)
    yield '  - name: a body that is no JSON is refused\n    request_text: "a=1"\n    expect: {status: 400, values: {error.code: not-json}}\n'
    keyless = _case(
        "a request without the key is turned away",
        rows[0],
        "{status: 401, values: {error.code: unauthorized}}",
    )
    yield keyless.replace("    expect:", "    authenticated: false\n    expect:", 1)


def _missing(columns: Columns, row: Row, expected: str) -> Iterator[str]:
    """One field that may lack, and one that may not."""
    lacks = {feature.name: bool(feature.column.missing.any()) for feature in columns.features}
    may = next((name for name, lacking in lacks.items() if lacking), None)
    if may is not None:
        yield _case(
            "a value that may be missing is no error",
            row | {may: None},
            f"{{values: {{prediction: {expected}}}}}",
        )
    must = next((name for name, lacking in lacks.items() if not lacking), None)
    if must is not None:
        without = {name: value for name, value in row.items() if name != must}
        refused = f"{{status: 422, values: {{error.field: {_json(must)}}}}}"
        yield _case("a missing field is refused by its name", without, refused)


def _expected(label: Label) -> str:
    if label.task == "classification":
        return f"{{one_of: {_json(list(label.classes))}}}"
    low, high = float(label.values.min()), float(label.values.max())
    return f"{{min: {_json(low - (high - low))}, max: {_json(high + (high - low))}}}"


def _case(name: str, request: Any, expect: str) -> str:
    return f"  - name: {name}\n    request: {_json(request)}\n    expect: {expect}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
