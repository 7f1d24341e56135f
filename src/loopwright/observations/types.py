"""Which Arrow type each column of a table of observations has, where segments of several revisions are read as one.

Inputs have the type of the signature; outputs, labels and further fields that of their values. Integers and numbers
together are numbers; any other mixture is text, each value as JSON has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from loopwright.observations.blocks import Header, Requests

_BY_NAME = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "string": pa.string()}
_BY_TYPE = {int: "integer", float: "number", bool: "boolean", str: "string"}


class Types:
    """Gathers what kinds of values each column has."""

    def __init__(self) -> None:
        self._kinds: dict[str, set[str]] = {}

    def take_header(self, header: Header) -> None:
        """The columns that a segment says it has."""
        for one in header.features:
            self._kinds.setdefault(f"features.{one.name}", set()).add(one.type)
        for name in (
            *(f"outputs.{one}" for one in header.outputs),
            *(f"extra.{one}" for one in header.extra),
        ):
            self._kinds.setdefault(name, set())

    def take_outputs(self, header: Header, block: Requests) -> None:
        """The kinds of values that a block's outputs and further fields have."""
        for kind, names, columns in (
            ("outputs", header.outputs, block.outputs),
            ("extra", header.extra, block.extra),
        ):
            for name, values in zip(names, columns, strict=False):
                self._kinds[f"{kind}.{name}"] |= kinds(values)

    def columns(self) -> dict[str, pa.DataType]:
        """The type of each, inputs first."""
        order = {"features": 0, "outputs": 1, "extra": 2}
        names = sorted(self._kinds, key=lambda name: order[name.partition(".")[0]])
        return {name: common(self._kinds[name]) for name in names}


def kinds(values: Iterable[Any]) -> set[str]:
    """The kinds of some values; None has none."""
    return {_BY_TYPE.get(one, "other") for one in set(map(type, values)) - {type(None)}}


def common(found: set[str]) -> pa.DataType:
    """The type that holds all of these."""
    if len(found) == 1:
        return _BY_NAME.get(next(iter(found)), pa.string())
    return pa.float64() if found == {"integer", "number"} else pa.string()


def column(values: Sequence[Any], wanted: pa.DataType) -> pa.Array:
    """The values as this type; what cannot be (an integer of more than 64 bits) is null."""
    if wanted == pa.string():
        return pa.array([as_text(value) for value in values], wanted)
    try:
        return pa.array(values, wanted)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([_fitting(value, wanted) for value in values], wanted)


def _fitting(value: Any, wanted: pa.DataType) -> Any:
    try:
        return pa.scalar(value, wanted).as_py()
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None


def as_text(value: Any) -> str | None:
    """Any value as text, for a column that has several kinds."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
