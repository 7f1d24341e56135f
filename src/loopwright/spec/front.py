"""What the front of a replica does beside answering: the sections `serving.batching` and `serving.observations`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from loopwright.spec.complaints import Complaint, quoted, refusal
from loopwright.spec.declaration import Declaration, Items
from loopwright.spec.texts import Text
from loopwright.spec.units import Bytes, Duration, Fraction, PositiveDuration


class Batching(Declaration):
    """How rows of several requests are joined into one call: what has queued while the last call ran."""

    rows: int = Field(
        default=64,
        ge=1,
        le=100_000,
        description="Most rows in one call; a request with more is a call of its own.",
    )
    wait: Duration = Field(
        default=0.0,
        description="Most time that a row waits for company; at 0s it never waits where nothing runs.",
    )
    form: Literal["dataframe", "numpy", "records", "arrow"] | None = Field(
        default=None,
        description="What `run_batch` of the scoring script takes; where not given, what the script asks for.",
    )


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
