"""What the front of a replica does beside answering: the section `serving.observations`."""

from __future__ import annotations

from pydantic import Field, model_validator

from loopwright.spec.complaints import Complaint, quoted, refusal
from loopwright.spec.declaration import Declaration, Items
from loopwright.spec.texts import Text
from loopwright.spec.units import Bytes, Fraction, PositiveDuration


class Observations(Declaration):
    """What is kept of each request, on the machine that answers it."""

    rate: Fraction = Field(
        default=1.0, description="Share of the requests that is kept row by row; distributions count all."
    )
    exclude: Items[Text] = Field(
        default=(), description="Columns that are never kept, neither their values nor their distributions."
    )
    extra: Items[Text] = Field(
        default=(), description="Further fields of a request's rows that are kept, such as a customer's id."
    )
    keep: PositiveDuration = Field(default=30 * 86400.0, description="How long they are kept.")
    max_size: Bytes = Field(
        default=1024 * 1024 * 1024,
        description="Most that they take on the disk, for the workload in an environment; the oldest go first.",
    )

    @model_validator(mode="after")
    def _kept_or_not(self) -> Observations:
        both = [name for name in self.exclude if name in self.extra]
        if both:
            raise refusal(
                [Complaint("extra", f"{quoted(both[0])}, which `exclude` names too", "it in one of the two")]
            )
        return self
