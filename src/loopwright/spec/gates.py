"""A gate of evaluation: a condition on a metric, and what makes it one that can be decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, model_validator

from loopwright.spec.complaints import Complaint, refusal
from loopwright.spec.declaration import Declaration
from loopwright.spec.units import SignedFraction

Metric = Literal["accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "mae", "rmse", "r2"]
REGRESSION = frozenset(("mae", "rmse", "r2"))
NEEDS_PROBABILITY = frozenset(("roc_auc", "log_loss"))
LESS_IS_BETTER = frozenset(("log_loss", "mae", "rmse"))
SHARES = frozenset(("accuracy", "precision", "recall", "f1", "roc_auc"))  # from 0 to 1


class Gate(Declaration):
    """A condition on a metric that must hold: bounds, or a comparison with the version that serves."""

    metric: Metric = Field(description="Which metric.")
    slice: str | None = Field(
        default=None,
        min_length=1,
        description="A column: the condition must hold for the rows of each of its values.",
    )
    min: SignedFraction | None = Field(default=None, description="The least allowed value.")
    max: SignedFraction | None = Field(default=None, description="The greatest allowed value.")
    min_versus_champion: SignedFraction | None = Field(
        default=None,
        description="The least allowed gain on the version that serves now, counted so that more is better; holds where none serves.",
    )

    @model_validator(mode="after")
    def _decidable(self) -> Gate:
        complaints = [*self._kinds(), *self._ranges()]
        if complaints:
            raise refusal(complaints)
        return self

    def _kinds(self) -> Iterator[Complaint]:
        absolute = self.min is not None or self.max is not None
        if not absolute and self.min_versus_champion is None:
            yield Complaint("", "a gate without a bound", "one of `min`, `max` or `min_versus_champion`")
        if absolute and self.min_versus_champion is not None:
            yield Complaint(
                "min_versus_champion",
                "two conditions in one gate",
                "`min` and `max`, or `min_versus_champion`",
                "Write a gate of its own for each, so that each has a verdict of its own.",
            )
        if self.min is not None and self.max is not None and self.min > self.max:
            yield Complaint("min", f"a least value of {self.min:g}", f"at most `max`, which is {self.max:g}")

    def _ranges(self) -> Iterator[Complaint]:
        if self.metric not in SHARES:
            return
        for name, least in (("min", 0), ("max", 0), ("min_versus_champion", -1)):
            value = getattr(self, name)
            if value is not None and not least <= value <= 1:
                hint = f"Did you mean `{value:g}%`?" if abs(value) <= 100 and value > least else ""
                yield Complaint(name, f"{value:g}", f"a number from {least} to 1, as {self.metric} has", hint)


def unfit(gates: Sequence[Gate], task: str | None) -> Iterator[Complaint]:
    """Gates whose metric is none of the task."""
    for index, gate in enumerate(gates):
        if task is not None and (gate.metric in REGRESSION) != (task == "regression"):
            yield Complaint(f"gates.{index}.metric", f"the metric `{gate.metric}`", f"a metric of {task}")
