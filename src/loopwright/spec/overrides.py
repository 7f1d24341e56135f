"""Values of an environment's own: a part of the spec again, with every field optional, laid over the whole.

The optional form is derived from the model itself, so that a field that is added there can be overridden at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from loopwright.spec.complaints import COMPLAINTS, Complaint
from loopwright.spec.declaration import Declaration
from loopwright.spec.positions import join

Whole = TypeVar("Whole", bound=BaseModel)


def optional_form(model: type[BaseModel], without: tuple[str, ...] = ()) -> Any:
    """A model with the same fields, none of them required: what it has not set stays as the whole has it."""
    fields: dict[str, Any] = {
        name: _optional(info) for name, info in model.model_fields.items() if name not in without
    }
    return create_model(
        f"{model.__name__}Overrides",
        __base__=Declaration,
        __doc__=model.__doc__,
        __module__=__name__,
        **fields,
    )


def _optional(info: FieldInfo) -> tuple[Any, Any]:
    annotation: Any = info.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        annotation = optional_form(annotation)
    for data in info.metadata:
        annotation = Annotated[annotation, data]
    return annotation, Field(default=None, alias=info.alias, description=info.description)


def overridden(whole: Whole, overrides: BaseModel | None) -> Whole:
    """The whole with these values laid over it, checked as a whole; raises ValidationError where they do not fit."""
    if overrides is None:
        return whole
    stated = whole.model_dump(exclude_unset=True, by_alias=True)
    return type(whole).model_validate(
        _merged(stated, overrides.model_dump(exclude_unset=True, by_alias=True))
    )


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        known = merged.get(name)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            value = _merged(known, value)
        merged[name] = value
    return merged


def misfits(error: ValidationError, at: str) -> list[Complaint]:
    """What a check of the whole says, told of the place where the overrides stand."""
    found = []
    for one in error.errors(include_url=False):
        place = join(at, *map(str, one["loc"]))
        if one["type"] == COMPLAINTS:
            found += [
                Complaint(join(place, c.at), c.found, c.expected, c.hint) for c in one["ctx"][COMPLAINTS]
            ]
        else:
            found.append(Complaint(place, "a value that does not fit", one["msg"]))
    return found
