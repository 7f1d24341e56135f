"""The schema file: what the user declares of the data, as frozen values.

`loopwright data infer` writes the first one; from then on it is the user's. Field descriptions are user documentation.

    apiVersion: loopwright/v1
    min_rows: 650                  # a shorter file is taken for a broken one
    duplicates: 15%                # share of rows that may repeat an earlier row; without it they are only warned of
    unexpected_columns: refuse     # or ignore
    columns:
      class: {type: string, values: [1st, 2nd, 3rd]}
      age: {type: number, missing: 5%, missing_values: [NA], min: 0, max: 95}
      ticket: {type: string, unique: true}
      survived: {type: integer, values: [0, 1], balance: {min_share: 10%}}

A column that is not named is unexpected, one that is named and not there is missing. Types are those of JSON, since the
same columns arrive as JSON rows when the model serves: integer, number, string (dates too), boolean (true and false; for
0 and 1 write integer). Texts are compared exactly, case and blanks included.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from loopwright.spec.complaints import Complaint, refusal, told
from loopwright.spec.declaration import Declaration, Items
from loopwright.spec.loading import parse
from loopwright.spec.notation import Notation
from loopwright.spec.units import Fraction, PositiveFraction

_KINDS = ["string", "number", "boolean"]


def _read_scalar(value: object) -> Any:
    if isinstance(value, str | bool | int | float):
        return value
    raise ValueError


def _read_number(value: object) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError


Scalar = Annotated[Any, Notation("value", "a text, a number, true or false", {"type": _KINDS}, _read_scalar)]
"""A value of a column: str, bool, int or float."""
Limit = Annotated[Any, Notation("limit", "a number", {"type": "number"}, _read_number)]
"""An int or a float, whichever was written."""


class Balance(Declaration):
    """How rare a value may be."""

    min_share: PositiveFraction = Field(
        description="Each of `values` (of those seen, where none are declared) must make up at least this share of the rows."
    )


class ColumnRule(Declaration):
    """What a column may hold."""

    type: Literal["integer", "number", "string", "boolean"] = Field(
        description="The type of its values, as in JSON."
    )
    description: str = Field(default="", description="What it means, and its unit.")
    missing: Fraction = Field(
        default=0.0, description="Share of the rows that may lack a value. A label is never allowed to."
    )
    missing_values: Items[str] = Field(
        default=(), description='Texts that mean "missing", besides the empty field of a CSV file.'
    )
    min: Limit | None = Field(default=None, description="The least value of a number.")
    max: Limit | None = Field(default=None, description="The greatest value of a number.")
    values: Items[Scalar] | None = Field(default=None, description="All values that are allowed.")
    unique: bool = Field(default=False, description="Whether no value may occur twice.")
    balance: Balance | None = Field(default=None, description="How rare a value may be; for labels.")

    @model_validator(mode="after")
    def _consistent(self) -> ColumnRule:
        complaints = [*self._wrong_limits(), *self._wrong_values()]
        if complaints:
            raise refusal(complaints)
        return self

    def _wrong_limits(self) -> Iterator[Complaint]:
        if self.type not in ("integer", "number"):
            for name, limit in (("min", self.min), ("max", self.max)):
                if limit is not None:
                    yield Complaint(
                        name,
                        told(limit),
                        f"no `{name}` in a column of type {self.type}",
                        "List what is allowed in `values`.",
                    )
        elif self.min is not None and self.max is not None and self.min > self.max:
            yield Complaint("max", told(self.max), f"at least `min`, which is {self.min}")

    def _wrong_values(self) -> Iterator[Complaint]:
        if self.values == ():
            yield Complaint("values", "an empty list", "at least one value")
        for place, value in enumerate(self.values or ()):
            if not _is_of(value, self.type):
                hint = f'Write "{value}" in quotes for a text.' if self.type == "string" else ""
                yield Complaint(f"values.{place}", told(value), f"a value of type {self.type}", hint)


def _is_of(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, str):
        return kind == "string"
    return kind == "number" or (kind == "integer" and isinstance(value, int))


class Schema(Declaration):
    """One schema file."""

    api_version: Literal["loopwright/v1"] = Field(
        alias="apiVersion", description="The version of this format."
    )
    min_rows: int | None = Field(default=None, ge=1, description="The data must have at least so many rows.")
    duplicates: Fraction | None = Field(
        default=None,
        description="Share of rows that may repeat an earlier row; where not given, they are only warned of.",
    )
    unexpected_columns: Literal["refuse", "ignore"] = Field(
        default="refuse", description="What to do with columns that are not named here."
    )
    columns: dict[str, ColumnRule] = Field(min_length=1, description="The columns, by name, in any order.")


def load(path: Path, shown: str) -> Schema:
    """Read a schema file; raises SpecError with all that is wrong in it, each with line and column."""
    return parse(Schema, path, shown)
