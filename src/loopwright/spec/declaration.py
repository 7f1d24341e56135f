"""What all models of files have in common."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")

Items = Annotated[tuple[Item, ...], Field(strict=False)]
"""A list of a file, as a tuple: the model is frozen. Not strict, or a list would be no tuple."""


class Declaration(BaseModel):
    """Base of all parts of the spec: frozen, nothing unknown is taken, and no value is taken for one of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
