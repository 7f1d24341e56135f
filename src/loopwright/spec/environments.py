"""An environment: where revisions run, and what is its own there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from loopwright.spec.approvals import Approval
from loopwright.spec.declaration import Declaration
from loopwright.spec.overrides import optional_form
from loopwright.spec.serving import Serving
from loopwright.spec.units import Duration
from loopwright.spec.variables import VariableName, VariableValue

if TYPE_CHECKING:
    ServingOverrides = Declaration
else:
    ServingOverrides = optional_form(Serving, without=("entry", "model", "flavor", "files"))


class Environment(Declaration):
    """Where revisions run."""

    engine: Literal["local"] = Field(default="local", description="What runs it.")
    approval: Approval = Field(
        default=Approval(count=0),
        description="Who must say yes before a release here: `none` (nobody; where not given), `required` (one person), or "
        "these fields.",
    )
    variables: dict[VariableName, VariableValue] = Field(
        default={}, description="Variables of the replicas here, over those of the workload."
    )
    promotion: Literal["automatic", "manual"] = Field(
        default="automatic",
        description="`automatic`: `up` goes on to here; `manual`: it stops before, and `loopwright promote` brings here what "
        "serves in the environment before.",
    )
    protected: bool = Field(
        default=False,
        description="Whether only what comes from a clean commit through every step may be released here, and nobody's yes is "
        "given in advance. A rollback is allowed.",
    )
    keep_warm: Duration = Field(
        default=600.0,
        description="How long replicas that a release has replaced are kept running, so that `loopwright rollback` takes a "
        "moment; 0s: they end at once.",
    )
    serving: ServingOverrides | None = Field(
        default=None,
        description="Values of `serving` that differ here; what is not given is as there. `entry`, `model`, `flavor` and `files` are the package's.",
    )
