"""How a value is written in a file, as one object that Pydantic, the JSON Schema and the reference all read.

A notation accepts exactly what its JSON Schema admits: a pattern of text, numbers in a range, or both.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from loopwright.spec.complaints import Complaint, refusal, told

IN_QUOTES = "Put it into quotes."


@dataclass(frozen=True, eq=False)  # compared by identity: a JSON Schema has no hash
class Notation:
    """`read` gives the value, or raises ValueError whose text is a hint; `show` writes a value back for the reference."""

    name: str
    expected: str
    schema: Mapping[str, Any]
    read: Callable[[object], Any]
    show: Callable[[Any], str] = str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validated)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(self.schema)

    def _validated(self, value: object) -> Any:
        try:
            return self.read(value)
        except ValueError as error:
            raise refusal([Complaint("", told(value), self.expected, str(error))]) from None


def text_notation(
    name: str,
    expected: str,
    pattern: str,
    near: Callable[[object], str | None] | None = None,
    clean: Callable[[str], str] = str,
) -> Notation:
    """Text of a pattern. `near` proposes what was meant; `clean` is applied to what is accepted."""
    compiled = re.compile(pattern)

    def read(value: object) -> str:
        if isinstance(value, str) and compiled.fullmatch(value):
            return clean(value)
        if isinstance(value, int | float):
            raise ValueError(IN_QUOTES)
        meant = near(value) if near else None
        raise ValueError(f"Did you mean `{meant}`?" if meant and compiled.fullmatch(meant) else "")

    return Notation(name, expected, {"type": "string", "pattern": f"^{pattern}$"}, read)


@dataclass(frozen=True)
class Quantity:
    """A number that is also written as text with a unit."""

    name: str
    expected: str
    pattern: str
    numbers: Mapping[str, Any]  # the JSON Schema of the plain numbers that are taken as they are
    parse: Callable[[str], Any]
    show: Callable[[Any], str]
    near: Callable[[object], str]  # what may have been meant by what is not taken
    convert: type = float

    def notation(self) -> Notation:
        """As Pydantic, the JSON Schema and the reference read it."""
        schema = {"anyOf": [{"type": "string", "pattern": f"^{self.pattern}$"}, dict(self.numbers)]}
        return Notation(self.name, self.expected, schema, self.read, self.show)

    def read(self, value: object) -> Any:
        """The number that a value of a file stands for; raises ValueError with a hint."""
        if isinstance(value, str) and re.fullmatch(self.pattern, value):
            return self.parse(value)
        if isinstance(value, int | float) and self._admits(value):
            return self.convert(value)
        meant = self.near(value)
        raise ValueError(f"Did you mean `{meant}`?" if re.fullmatch(self.pattern, meant) else "")

    def _admits(self, value: float) -> bool:
        if isinstance(value, bool) or not math.isfinite(value):
            return False
        if self.numbers["type"] == "integer" and value != int(value):
            return False
        least, most = self.numbers.get("minimum", value), self.numbers.get("maximum", value)
        above, below = self.numbers.get("exclusiveMinimum"), self.numbers.get("exclusiveMaximum")
        return (
            least <= value <= most and (above is None or value > above) and (below is None or value < below)
        )
