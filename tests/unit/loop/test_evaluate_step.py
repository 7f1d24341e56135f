"""What the step tells of an evaluation."""

from __future__ import annotations

from loopwright.loop.steps.evaluate import EvaluateStep

OUTPUT = {"metrics": {"accuracy": 0.5, "f1": None}, "rows": 4, "gates": [{"reason": "accuracy 0.5 >= 0.4"}]}


def test_doubts_are_told_as_warnings_beside_the_gates() -> None:
    told = EvaluateStep().summary(OUTPUT | {"warnings": ["score.py answers 0 for all 4 held-out rows."]})
    assert told.splitlines() == [
        "accuracy 0.500 on 4 held-out rows; 1 gates hold",
        "gate: accuracy 0.5 >= 0.4",
        "warning: score.py answers 0 for all 4 held-out rows.",
    ]


def test_results_that_know_no_doubts_are_told_as_they_were() -> None:
    assert len(EvaluateStep().summary(OUTPUT).splitlines()) == 2
