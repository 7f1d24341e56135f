"""A compiled model in the front: rows to answers with NumPy and ONNX Runtime, without a worker and without the user's environment.

Packaging makes the compiled form, and keeps it only if this very code answers as the original does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from loopwright.scoring import compiled_heads, compiled_plan
from loopwright.scoring.compiled_heads import Scores
from loopwright.scoring.compiled_inputs import Inputs, Matrix
from loopwright.scoring.compiled_plan import Decision, Plan
from loopwright.scoring.refusals import InvalidInput
from loopwright.scoring.settings import Output

Answers = list[list[Any]]  # one list for each output, as long as there are rows

_LINKS: dict[str, Callable[[Scores], Scores]] = {
    "none": lambda scores: scores,
    "logistic": lambda scores: _logistic(scores),
    "softmax": lambda scores: _softmax(scores),
    "exp": lambda scores: _exponential(scores),
    "shares": lambda scores: _shares(_logistic(scores)),
}


class Compiled:
    """One compiled model. It keeps no state, so several threads may ask it at once."""

    def __init__(self, plan: Plan, head: compiled_heads.Head) -> None:
        self.outputs: tuple[Output, ...] = plan.outputs
        self._inputs = Inputs(plan)
        self._head = head
        self._names = plan.inputs
        self._refuses_infinite = plan.refuses_infinite
        self._greatest = compiled_heads.greatest(plan.head)
        self._answer = _answering(plan.decision, plan.outputs)

    def score(self, rows: Sequence[tuple[Any, ...]]) -> Answers:
        """Answers to rows of the plan's inputs in their order, None where missing; raises InvalidInput."""
        if not rows:
            return [[] for _ in self.outputs]
        matrix = self._inputs.matrix(rows)
        # Usually told by one sum of squares; which also passes no NaN, so that rows with gaps are looked at closely.
        if self._refuses_infinite and not np.vdot(matrix, matrix) < self._greatest:
            self._refuse_infinite(rows, matrix)
        return self._answer(self._head(matrix))

    def _refuse_infinite(self, rows: Sequence[tuple[Any, ...]], matrix: Matrix) -> None:
        beyond = np.abs(matrix) > self._greatest
        if beyond.any():
            row = int(beyond.any(axis=1).argmax())
            large = (at for at, value in enumerate(rows[row]) if _is_beyond(value, self._greatest))
            at = next(large, None)
            field, found = (
                (None, "one with a larger number") if at is None else (self._names[at], str(rows[row][at]))
            )
            raise InvalidInput(
                field, row, found, f"a number up to {self._greatest:.3g}, which the model can hold"
            )


def load(folder: Path) -> Compiled:
    """The compiled model of a package's `compiled` folder; raises UsageError or MachineError."""
    plan = compiled_plan.read(folder)
    head = compiled_heads.make(plan.head, folder)
    return Compiled(plan, head)


def _is_beyond(value: Any, greatest: float) -> bool:
    return isinstance(value, int | float) and abs(value) > greatest


def _answering(decision: Decision, outputs: Sequence[Output]) -> Callable[[Scores], Answers]:
    if not decision.classes:
        return _regression(decision)
    if decision.rule == "above":
        return _of_two(decision, scored=len(outputs) > 1)
    return _of_many(decision, [output.name for output in outputs[1:]])


def _of_two(decision: Decision, *, scored: bool) -> Callable[[Scores], Answers]:
    """One score for each row; a comparison in Python costs less than NumPy's for as few rows as there are."""
    link, limit, of_scores = _LINKS[decision.link], decision.limit, decision.of == "scores"
    negative, positive = decision.classes
    inclusive = decision.inclusive

    def answer(scores: Scores) -> Answers:
        probabilities = link(scores)[:, 0].tolist()
        told = scores[:, 0].tolist() if of_scores else probabilities
        if inclusive:
            predictions = [positive if value >= limit else negative for value in told]
        else:
            predictions = [positive if value > limit else negative for value in told]
        return [predictions, probabilities] if scored else [predictions]

    return answer


def _of_many(decision: Decision, wanted: Sequence[str]) -> Callable[[Scores], Answers]:
    link, classes, names = _LINKS[decision.link], decision.classes, decision.names
    of_scores = decision.of == "scores"

    def answer(scores: Scores) -> Answers:
        probabilities = link(scores)
        positions = (scores if of_scores else probabilities).argmax(axis=1)
        answers: Answers = [[classes[position] for position in positions.tolist()]]
        if "probability" in wanted:
            answers.append(probabilities[:, -1].tolist())
        if "probabilities" in wanted:
            answers.append([dict(zip(names, row, strict=True)) for row in probabilities.tolist()])
        return answers

    return answer


def _regression(decision: Decision) -> Callable[[Scores], Answers]:
    link = _LINKS[decision.link]
    return lambda scores: [link(scores)[:, 0].tolist()]


def _logistic(scores: Scores) -> Scores:
    least = -700.0 if scores.dtype == np.float64 else -87.0  # beyond it the exponential overflows
    made: Scores = 1.0 / (1.0 + np.exp(-np.maximum(scores, scores.dtype.type(least))))
    return made


def _exponential(scores: Scores) -> Scores:
    with np.errstate(over="ignore"):  # infinite, as the original has it
        made: Scores = np.exp(scores)
    return made


def _softmax(scores: Scores) -> Scores:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    made: Scores = powers / powers.sum(axis=1, keepdims=True)
    return made


def _shares(scores: Scores) -> Scores:
    made: Scores = scores / scores.sum(axis=1, keepdims=True)
    return made
