"""The metrics of a set of judged rows, by scikit-learn.

Every metric that the task knows is reported; one that these rows cannot decide is None, with the reason beside it, and
is never rounded up to a number: a gate on it must not pass.

Conventions, for classification: `positive` decides precision, recall and f1 where there are two classes, rows of any
third predicted value counting as not positive. With more classes these three are macro averages over the classes that
occur among labels and predictions, a class that is never predicted counting as precision 0. roc_auc and log_loss need
the probability of the positive class and exactly two classes.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from loopwright.evaluation.labels import ordered

Task = Literal["classification", "regression"]
CLASSIFICATION = ("accuracy", "precision", "recall", "f1", "roc_auc", "log_loss")
NEEDS_PROBABILITY = frozenset({"roc_auc", "log_loss"})
REGRESSION = ("mae", "rmse", "r2")
LESS_IS_BETTER = frozenset({"log_loss", "mae", "rmse"})


@dataclass(frozen=True)
class Question:
    """What all rows of one evaluation share. `classes` and `positive` are canonical texts (see `labels`)."""

    task: Task
    classes: tuple[str, ...] = ()
    positive: str | None = None


@dataclass(frozen=True)
class Judged:
    """Labels with what was predicted for them, row by row: canonical texts, or numbers in a regression."""

    labels: Sequence[Any]
    predictions: Sequence[Any]
    probabilities: Sequence[float] | None = None

    def take(self, rows: Sequence[int]) -> Judged:
        """These rows alone."""
        chosen = None if self.probabilities is None else [self.probabilities[row] for row in rows]
        return Judged([self.labels[row] for row in rows], [self.predictions[row] for row in rows], chosen)


@dataclass(frozen=True)
class Metrics:
    """Values by metric; None where undecided, and then `undecided` says why. `confusion`: [label][prediction] counts."""

    rows: int
    values: dict[str, float | None]
    undecided: dict[str, str] = field(default_factory=dict)
    confusion: dict[str, dict[str, int]] | None = None

    def as_json(self) -> dict[str, Any]:
        """The reported form."""
        report: dict[str, Any] = {"rows": self.rows, "metrics": self.values}
        if self.undecided:
            report["undecided"] = self.undecided
        if self.confusion is not None:
            report["confusion"] = self.confusion
        return report


class _Undecided(Exception):  # noqa: N818  (never leaves this module)
    """These rows cannot decide a metric; the text is the reason."""


def measure(judged: Judged, question: Question) -> Metrics:
    """All metrics of the question's task over these rows; works for no rows and for a single class."""
    regression = question.task == "regression"
    values: dict[str, float | None] = {}
    undecided: dict[str, str] = {}
    for name in REGRESSION if regression else CLASSIFICATION:
        try:
            values[name] = _finite(_METRICS[name], judged, question)
        except _Undecided as reason:
            values[name] = None
            undecided[name] = str(reason)
    return Metrics(
        len(judged.labels), values, undecided, None if regression else _confusion(judged, question)
    )


def positive_of(classes: Sequence[str], declared: str | None) -> str | None:
    """The positive class of two: the declared one, else the greater; None where there are not two."""
    if len(classes) > 2:
        return None
    return declared if declared is not None else (classes[-1] if classes else None)


def _finite(metric: Callable[[Judged, Question], float], judged: Judged, question: Question) -> float:
    if not judged.labels:
        raise _Undecided("there are no rows")
    with warnings.catch_warnings():
        # Undefined values are found here, by their reasons; scikit-learn's own warnings would only repeat them.
        warnings.simplefilter("ignore")
        value = float(metric(judged, question))
    if not math.isfinite(value):
        raise _Undecided("the result is not a finite number")
    return value


def _accuracy(judged: Judged, _: Question) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(list(judged.labels), list(judged.predictions)))


def _precision(judged: Judged, question: Question) -> float:
    from sklearn.metrics import precision_score

    return _averaged(precision_score, judged, question, "no row is predicted as {}")


def _recall(judged: Judged, question: Question) -> float:
    from sklearn.metrics import recall_score

    return _averaged(recall_score, judged, question, "no row's label is {}")


def _f1(judged: Judged, question: Question) -> float:
    from sklearn.metrics import f1_score

    return _averaged(f1_score, judged, question, "no row is, or is predicted as, {}")


def _averaged(score: Callable[..., float], judged: Judged, question: Question, reason: str) -> float:
    if question.positive is None:
        return score(list(judged.labels), list(judged.predictions), average="macro", zero_division=0.0)
    truth = [label == question.positive for label in judged.labels]
    said = [prediction == question.positive for prediction in judged.predictions]
    value = score(truth, said, pos_label=True, average="binary", zero_division=math.nan)
    if math.isnan(value):
        raise _Undecided(reason.format(question.positive))
    return value


def _roc_auc(judged: Judged, question: Question) -> float:
    from sklearn.metrics import roc_auc_score

    truth, probabilities = _with_probabilities(judged, question)
    if len(set(truth)) < 2:
        raise _Undecided(f"every row has the same label, {judged.labels[0]}")
    return float(roc_auc_score(truth, probabilities))


def _log_loss(judged: Judged, question: Question) -> float:
    from sklearn.metrics import log_loss

    truth, probabilities = _with_probabilities(judged, question)
    return float(log_loss(truth, probabilities, labels=[False, True]))


def _with_probabilities(judged: Judged, question: Question) -> tuple[list[bool], list[float]]:
    if question.positive is None:
        raise _Undecided(f"it needs two classes, and there are {len(question.classes)}")
    if judged.probabilities is None:
        raise _Undecided("`evaluation.probability` does not say where the probability is")
    return [label == question.positive for label in judged.labels], list(judged.probabilities)


def _mae(judged: Judged, _: Question) -> float:
    from sklearn.metrics import mean_absolute_error

    return float(mean_absolute_error(judged.labels, judged.predictions))


def _rmse(judged: Judged, _: Question) -> float:
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(judged.labels, judged.predictions))


def _r2(judged: Judged, _: Question) -> float:
    from sklearn.metrics import r2_score

    if len(set(judged.labels)) < 2:
        raise _Undecided(f"every row has the same label, {judged.labels[0]}")
    return float(r2_score(judged.labels, judged.predictions))


def _confusion(judged: Judged, question: Question) -> dict[str, dict[str, int]]:
    from sklearn.metrics import confusion_matrix

    names = ordered([*question.classes, *judged.labels, *judged.predictions])
    if not judged.labels:
        return {label: dict.fromkeys(names, 0) for label in names}
    counts = confusion_matrix(list(judged.labels), list(judged.predictions), labels=list(names))
    return {
        label: {said: int(n) for said, n in zip(names, row, strict=True)}
        for label, row in zip(names, counts, strict=True)
    }


_METRICS: dict[str, Callable[[Judged, Question], float]] = {
    "accuracy": _accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "roc_auc": _roc_auc,
    "log_loss": _log_loss,
    "mae": _mae,
    "rmse": _rmse,
    "r2": _r2,
}
