"""The bodies of MLflow's scoring server: four JSON forms, and what it answers.

`dataframe_split` and `dataframe_records` are Pandas' orientations; `instances` and `inputs` are those of TensorFlow
Serving: rows and columns. Documentation: https://mlflow.org/docs/latest/genai/serving/ (local inference server).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from loopwright.scoring.answers import Answers
from loopwright.scoring.protocols import complaints
from loopwright.scoring.protocols.tensors import Columns
from loopwright.scoring.refusals import InvalidInput
from loopwright.scoring.settings import Input

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
Records = list[dict[str, Any]]

_BODY: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])


def decode(body: bytes, inputs: Sequence[Input]) -> Columns | Records:
    """The columns, or the rows, that a JSON body holds in one of the forms; raises NotJson or InvalidInput."""
    whole = complaints.read(_BODY, body)
    forms = [form for form in FORMS if form in whole]
    if len(forms) != 1:
        found = f"with {' and '.join(forms)}" if forms else f"with {', '.join(whole) or 'nothing'}"
        raise InvalidInput(None, None, found[:200], f"an object with one of {', '.join(FORMS)}")
    form = forms[0]
    unknown = sorted(whole.keys() - {form, "params"})
    if unknown:
        raise InvalidInput(unknown[0], None, f"beside {form!r}", "nothing but `params` beside it")
    if whole.get("params"):
        raise InvalidInput("params", None, "given", "none: this model takes no parameters")
    given = whole[form]
    if form == "dataframe_split":
        return _split(given)
    if form == "dataframe_records":
        return _records(form, given)
    return _tensors(form, given, inputs)


def encode(given: Answers) -> bytes:
    """The answer: a value for each row where there is one output, else an object for each row."""
    predictions = given.columns[0] if len(given.names) == 1 else given.records()
    return msgspec.json.encode({"predictions": predictions})


def error(status: int, message: str) -> bytes:
    """The body of an error, as MLflow's exceptions are written."""
    code = "BAD_REQUEST" if status < 500 else "INTERNAL_ERROR"
    named = {404: "ENDPOINT_NOT_FOUND", 503: "TEMPORARILY_UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
    return msgspec.json.encode({"error_code": named.get(status, code), "message": message})


def _split(given: Any) -> Columns:
    if not isinstance(given, dict) or not isinstance(given.get("data"), list):
        raise InvalidInput("dataframe_split", None, _kind(given), "an object with `columns` and `data`")
    names = given.get("columns")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidInput("dataframe_split.columns", None, _kind(names), "a list of names")
    if len(set(names)) < len(names):
        raise InvalidInput("dataframe_split.columns", None, "with a name twice", "each column once")
    return _matrix("dataframe_split.data", given["data"], names)


def _records(form: str, given: Any) -> Records:
    if not isinstance(given, list):
        raise InvalidInput(form, None, _kind(given), "a list of objects")
    for number, row in enumerate(given):
        if not isinstance(row, dict):
            raise InvalidInput(form, number, _kind(row), "an object with the model's inputs")
    return given


def _tensors(form: str, given: Any, inputs: Sequence[Input]) -> Columns | Records:
    """Columns by name, rows as objects, or rows as lists in the order of the inputs."""
    if isinstance(given, dict):
        return _named(form, given)
    if not isinstance(given, list):
        raise InvalidInput(form, None, _kind(given), "a list of rows, or an object of columns")
    if given and isinstance(given[0], dict):
        return _records(form, given)
    names = [one.name for one in inputs]
    if len(names) == 1 and not any(isinstance(row, list) for row in given):
        return {names[0]: given}
    return _matrix(form, given, names)


def _named(form: str, given: dict[str, Any]) -> Columns:
    if not any(isinstance(column, list) for column in given.values()):
        return {name: [value] for name, value in given.items()}  # one row
    rows = -1
    for name, column in given.items():
        if not isinstance(column, list):
            raise InvalidInput(f"{form}.{name}", None, _kind(column), "a list, as the other columns are")
        if rows not in (-1, len(column)):
            raise InvalidInput(
                f"{form}.{name}", None, f"{len(column)} rows", f"{rows}, as the columns before it"
            )
        rows = len(column)
    return {name: [_single(value) for value in column] for name, column in given.items()}


def _matrix(where: str, rows: list[Any], names: Sequence[str]) -> Columns:
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise InvalidInput(where, number, _kind(row), "a list of values")
        if len(row) != len(names):
            shown = ", ".join(names)
            raise InvalidInput(where, number, f"{len(row)} values", f"{len(names)}: {shown}")
    turned = zip(*rows, strict=True) if rows else ([] for _ in names)
    return dict(zip(names, map(list, turned), strict=True))


def _single(value: Any) -> Any:
    """A column of shape [n, 1] is one of [n]."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
