"""How many replicas a revision has: the section `serving.replicas` of a spec."""

from __future__ import annotations

from pydantic import Field, model_validator

from loopwright.spec.complaints import Complaint, refusal
from loopwright.spec.declaration import Declaration
from loopwright.spec.units import Duration, PositiveDuration, PositiveFraction

_LOOKS = 3  # in a row, that must call for more replicas where no delay is given


class Replicas(Declaration):
    """How many copies run."""

    min: int = Field(
        default=2,
        ge=0,
        le=1000,
        description="Never fewer. With 0, none runs while nobody asks: the first request then waits until one has "
        "started.",
    )
    max: int = Field(default=2, ge=1, le=1000, description="Never more.")
    target_utilization: PositiveFraction = Field(
        default=0.7,
        description="Requests in flight, as a share of replicas x concurrency, that scaling aims at.",
    )
    scale_interval: PositiveDuration = Field(default=1.0, description="Time between two looks at the load.")
    scale_up_delay: Duration | None = Field(
        default=None,
        description="How long more replicas must have been needed before any is started; three times "
        "`scale_interval` where not given.",
    )
    scale_down_delay: Duration = Field(
        default=60.0, description="How long fewer replicas must have been enough before any is ended."
    )

    scale_to_zero_after: PositiveDuration = Field(
        default=300.0, description="Time without a request until the last replica is ended, where `min` is 0."
    )

    @property
    def patience_up(self) -> float:
        """Seconds that more must have been needed."""
        return _LOOKS * self.scale_interval if self.scale_up_delay is None else self.scale_up_delay

    @model_validator(mode="after")
    def _in_order(self) -> Replicas:
        if self.min > self.max:
            given = "max" in self.model_fields_set
            expected = f"at most `max`, which is {self.max}{'' if given else ' where it is not given'}"
            raise refusal([Complaint("min", f"at least {self.min} replicas", expected)])
        return self
