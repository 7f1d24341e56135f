"""What fields a model has, by the names that a file uses, and which model stands at a path.

Used to name the nearest right field, and to write the reference.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from loopwright.spec.notation import Notation
from loopwright.spec.positions import join

Model = type[BaseModel]


@dataclass(frozen=True)
class Place:
    """One field of a file: where it stands (`*` for any name or number), and how it is declared."""

    path: str
    info: FieldInfo
    below: Model | None  # the model that its value, its items or its entries have


def named_fields(model: Model) -> dict[str, FieldInfo]:
    """Fields by the names that a file uses."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def walk(model: Model, prefix: str = "") -> Iterator[Place]:
    """All fields of a model and of the models in it, in order."""
    for name, info in named_fields(model).items():
        path = join(prefix, name)
        below = model_in(info.annotation)
        yield Place(path, info, below)
        if below is not None:
            yield from walk(below, f"{path}.*" if _holds_many(info.annotation) else path)


@cache
def homes(model: Model) -> dict[str, tuple[str, ...]]:
    """For every field's name, the paths of the parts that have such a field."""
    found: dict[str, tuple[str, ...]] = {}
    for place in walk(model):
        parent, _, name = place.path.rpartition(".")
        found[name] = (*found.get(name, ()), parent)
    return found


def model_at(model: Model, location: Sequence[str | int]) -> Model | None:
    """The model that a value at this place of a file has; None where it has none."""
    annotation: Any = model
    for part in location:
        annotation = _strip(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            info = named_fields(annotation).get(str(part))
            if info is None:
                return None
            annotation = info.annotation
        else:
            annotation = _item(annotation)
    return model_in(annotation)


def model_in(annotation: Any) -> Model | None:
    """The model in `Model`, `Model | None`, `tuple[Model, ...]` or `dict[..., Model]`."""
    annotation = _strip(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return model_in(_item(annotation)) if _holds_many(annotation) else None


def notation_of(info: FieldInfo) -> Notation | None:
    """The notation that a field's value is written in; None for fields of Pydantic's own types."""
    candidates = [*info.metadata, *_metadata(info.annotation)]
    return next((item for item in candidates if isinstance(item, Notation)), None)


def written(model: Model, path: str, value: Any) -> str:
    """A value as a file would have it: `2s`, `70%`, `1Gi`; plain text for fields without such a notation."""
    parent, _, name = path.rpartition(".")
    home = model_at(model, parent.split(".") if parent else [])
    info = named_fields(home).get(name) if home else None
    notation = notation_of(info) if info else None
    if isinstance(value, bool):
        return str(value).lower()
    return notation.show(value) if notation else str(value)


def choices_of(annotation: Any) -> tuple[str, ...]:
    """The values of a Literal."""
    annotation = _strip(annotation)
    return tuple(map(str, get_args(annotation))) if get_origin(annotation) is Literal else ()


def kind_of(annotation: Any) -> Any:
    """The plain type of an annotation, without Annotated and None."""
    return _strip(annotation)


def item_of(annotation: Any) -> Any:
    """What a list or mapping holds, with its metadata."""
    return _item(_strip(annotation))


def _metadata(annotation: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = ()
    for part in (annotation, *(get_args(annotation) if _is_union(annotation) else ())):
        found += part.__metadata__ if get_origin(part) is Annotated else ()
    return found


def _strip(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        return _strip(get_args(annotation)[0])
    if _is_union(annotation):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return _strip(members[0]) if len(members) == 1 else annotation
    return annotation


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _holds_many(annotation: Any) -> bool:
    return get_origin(_strip(annotation)) in (tuple, list, dict)


def _item(annotation: Any) -> Any:
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return arguments[1]
    return arguments[0] if arguments else None
