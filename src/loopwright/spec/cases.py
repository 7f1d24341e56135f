"""The file of functional cases, such as tests/functional.yaml: requests, and what is expected of their answers.

Read with `parse(CasesFile, path)`. A dump of it has the file's own form, which the functional job reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from loopwright.spec.complaints import Complaint, listed, quoted, refusal, told
from loopwright.spec.declaration import Declaration, Items
from loopwright.spec.notation import Notation, text_notation
from loopwright.spec.units import PositiveDuration
from loopwright.spec.wording import nearest

_CONDITIONS = ("equals", "min", "max", "one_of")
_FORM = "a value, or one of `{equals: VALUE}`, `{min: NUMBER, max: NUMBER}` and `{one_of: [VALUES]}`"
_NUMBER = {"type": "number"}
_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"not": {"type": "object"}},
        {
            "type": "object",
            "properties": {"equals": True},
            "required": ["equals"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"min": _NUMBER, "max": _NUMBER},
            "minProperties": 1,
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"one_of": {"type": "array", "minItems": 1}},
            "required": ["one_of"],
            "additionalProperties": False,
        },
    ]
}


def _read_expectation(value: object) -> Any:
    if not isinstance(value, Mapping):
        return value
    unknown = [name for name in value if name not in _CONDITIONS]
    if unknown:
        near = nearest(str(unknown[0]), _CONDITIONS)
        hint = f"Did you mean `{near}`?" if near else "To expect a mapping, write `{equals: {...}}`."
        raise ValueError(f"It has {quoted(str(unknown[0]))}. {hint}")
    names = set(value)
    if len(names) == 0 or (len(names) > 1 and names != {"min", "max"}):
        raise ValueError(f"It has {listed(sorted(names), 'and')} together." if names else "")
    for name in names & {"min", "max"}:
        if isinstance(value[name], bool) or not isinstance(value[name], int | float):
            raise ValueError(f"Its `{name}` is {told(value[name])}.")
    if names == {"min", "max"} and value["min"] > value["max"]:
        raise ValueError("Its `min` is above its `max`.")
    if names == {"one_of"} and not (isinstance(value["one_of"], list) and value["one_of"]):
        raise ValueError(f"Its `one_of` is {told(value['one_of'])}.")
    return dict(value)


HeaderValue = Annotated[
    str,
    text_notation(
        "header",
        "the value of a header, such as `application/json`",
        r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?",
    ),
]

Expectation = Annotated[Any, Notation("expectation", _FORM, _SCHEMA, _read_expectation)]
"""What one value of an answer must be, in the file's own form."""


class Expect(Declaration):
    """What the answer must be."""

    status: int = Field(default=200, ge=100, le=599, description="The HTTP status.")
    values: dict[str, Expectation] = Field(
        default={},
        description="For places in the answer such as `result.0.label`: the value itself, `{equals: VALUE}`, "
        "`{min: NUMBER, max: NUMBER}` or `{one_of: [VALUES]}`.",
    )
    answer_schema: dict[str, Any] | None = Field(
        default=None, alias="schema", description="A JSON Schema that the answer must meet."
    )
    max_time: PositiveDuration | None = Field(
        default=None, description="The longest time until the answer is there."
    )

    @property
    def checks_answer(self) -> bool:
        """Whether more than that an answer came is asked for."""
        return bool(self.values) or bool(self.answer_schema)


class FunctionalCase(Declaration):
    """A request, and what is expected of its answer."""

    name: str = Field(min_length=1, description="What the case shows.")
    request: Any = Field(default=None, description="The request's body, sent as JSON.")
    request_text: str | None = Field(
        default=None, description="The body as it is, in place of `request`: for requests that are no JSON."
    )
    content_type: HeaderValue = Field(default="application/json", description="The Content-Type header.")
    authenticated: bool = Field(default=True, description="Whether the request carries the endpoint's key.")
    expect: Expect = Field(default=Expect(), description="What is expected.")

    @model_validator(mode="after")
    def _one_body(self) -> FunctionalCase:
        as_json, as_text = "request" in self.model_fields_set, self.request_text is not None
        if as_json == as_text:
            found = "both `request` and `request_text`" if as_json else "neither `request` nor `request_text`"
            raise refusal([Complaint("", f"a case with {found}", "one of them")])
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # `request: null` is a body, so the one that was not given must not be there.
        dumped: dict[str, Any] = serialize(self)
        dumped.pop("request" if self.request_text is not None else "request_text")
        return dumped


class CasesFile(Declaration):
    """A file of functional cases."""

    cases: Items[FunctionalCase] = Field(min_length=1, description="All must pass.")

    @model_validator(mode="after")
    def _distinct(self) -> CasesFile:
        names = [case.name for case in self.cases]
        twice = [
            Complaint(
                f"cases.{index}.name",
                f"the name {quoted(name)} a second time",
                "a name of its own for each case",
            )
            for index, name in enumerate(names)
            if name in names[:index]
        ]
        if twice:
            raise refusal(twice)
        return self
