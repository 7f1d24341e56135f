"""Whose yes a release to an environment needs: the section `environments.NAME.approval`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from loopwright.spec.complaints import Complaint, refusal, told
from loopwright.spec.declaration import Declaration, Items
from loopwright.spec.units import PositiveDuration

_SHORT: dict[str, dict[str, Any]] = {"none": {"count": 0}, "required": {}}
_WEEK = 7 * 86_400.0


class Approval(Declaration):
    """Whose yes a release needs: `none`, `required` (one person, whoever it is), or these fields."""

    count: int = Field(
        default=1, ge=0, le=20, description="How many different people must say yes; 0: nobody."
    )
    by: Items[Annotated[str, Field(min_length=1)]] | None = Field(
        default=None,
        description="Who may decide: names of users, or `@` and a group of the operating system; anybody where not given.",
    )
    not_author: bool = Field(
        default=False,
        description="Whether the author of the change, and who asked for it, may not be among those who say yes.",
    )
    expires: PositiveDuration = Field(
        default=_WEEK,
        description="How long after it was asked for an approval holds; then it is asked for anew.",
    )

    @property
    def plain(self) -> bool:
        """Whether any one person will do, so that a yes may be given in advance."""
        return self.count <= 1 and self.by is None and not self.not_author

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str) and value in _SHORT:
            return _SHORT[value]
        if not isinstance(value, dict | Approval):
            raise refusal(
                [
                    Complaint(
                        "", told(value), "`none`, `required`, or fields such as {count: 2, not_author: true}"
                    )
                ]
            )
        return value

    @model_validator(mode="after")
    def _can_be_met(self) -> Approval:
        people = set(self.by or ())
        if (
            self.by is not None
            and self.count > len(people)
            and not any(one.startswith("@") for one in people)
        ):
            raise refusal(
                [Complaint("count", str(self.count), f"at most {len(people)}, as `by` names no more people")]
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(_SHORT)}, handler(schema)]}
