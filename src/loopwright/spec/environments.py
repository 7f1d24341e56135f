"""An environment: where revisions run, and what is its own there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from loopwright.spec.declaration import Declaration
from loopwright.spec.overrides import optional_form
from loopwright.spec.serving import Serving
from loopwright.spec.variables import VariableName, VariableValue

if TYPE_CHECKING:
    ServingOverrides = Declaration
else:
    ServingOverrides = optional_form(Serving, without=("entry", "files"))


class Environment(Declaration):
    """Where revisions run."""

    engine: Literal["local"] = Field(default="local", description="What runs it.")
    approval: Literal["none", "required"] = Field(
        default="none", description="Whether a person must say yes before a release here."
    )
    variables: dict[VariableName, VariableValue] = Field(
        default={}, description="Variables of the replicas here, over those of the workload."
    )
    serving: ServingOverrides | None = Field(
        default=None,
        description="Values of `serving` that differ here; what is not given is as there. `entry` and `files` are the package's.",
    )
