"""Estimators as scikit-learn has them: its own, pipelines, and those of XGBoost and LightGBM, which look the same."""

from __future__ import annotations

import os
import warnings
from typing import Any, Sequence, Tuple

from . import tables
from .boosters import known_categories
from .forests import quick
from .tables import Columns, Model, ModelError, Rows

_KEY = Tuple[Tuple[str, ...], Tuple[str, ...]]
_ARGMAX = {  # those whose predict() is by their own code the class with the greatest of predict_proba()
    ("sklearn.ensemble._forest", "RandomForestClassifier"),
    ("sklearn.ensemble._forest", "ExtraTreesClassifier"),
    ("sklearn.ensemble._bagging", "BaggingClassifier"),
    ("lightgbm.sklearn", "LGBMClassifier"),
}


class Estimator(Model):
    """Anything with predict(), and for a classifier classes_ and perhaps predict_proba()."""

    def __init__(self, model: Any) -> None:
        self._whole = getattr(model, "best_estimator_", model)  # what a search over parameters has found
        self._before, self._final = _split(self._whole)
        self._asked = quick(self._final)
        self._labels = _labels(self._whole)
        self._scored = self._labels is not None and callable(getattr(self._whole, "predict_proba", None))
        self._direct = (type(self._final).__module__, type(self._final).__name__) in _ARGMAX
        self._plans: dict[_KEY, _Plan] = {}
        _keep_threads(self._whole)
        if self._labels is not None:
            self.outputs = tables.class_outputs(self._labels, self._scored)
        else:
            self.outputs = (("prediction", _prediction_type(self._final)),)

    def check(self, names: Sequence[str], types: Sequence[str]) -> None:
        self._plan(names, types)

    def score(self, rows: Rows, names: Sequence[str], types: Sequence[str]) -> Columns:
        table = self._plan(names, types).table(rows)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X has feature names, but")
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            if self._before is not None:
                table = self._before.transform(table)
            return self._answers(table)

    def _answers(self, table: Any) -> Columns:
        if not self._scored:
            return [_flat(self._final.predict(table))]
        labels: Any = self._labels
        scores = self._asked.predict_proba(table)
        if self._direct:
            predictions = self._final.classes_.take(scores.argmax(axis=1))
        else:
            predictions = self._final.predict(table)
        return [_flat(predictions), tables.class_scores(labels, scores)]

    def _plan(self, names: Sequence[str], types: Sequence[str]) -> _Plan:
        key = (tuple(names), tuple(types))
        if key not in self._plans:
            self._plans[key] = _plan(self._whole, *key)
        return self._plans[key]


class _Plan:
    """How rows become the table that an estimator was fitted on."""

    def __init__(
        self,
        names: tuple[str, ...],
        types: tuple[str, ...],
        order: list[int],
        named: bool,
        categories: dict[str, Any] | None = None,
    ) -> None:
        self._names, self._types, self._order, self._named = names, types, order, named
        self._categories = categories

    def table(self, rows: Rows) -> Any:
        if self._named:
            return tables.frame(rows, self._order, self._names, self._types, self._categories)
        return tables.array(rows, self._order, self._types)


def _plan(model: Any, names: tuple[str, ...], types: tuple[str, ...]) -> _Plan:
    fitted = _attribute(model, "feature_names_in_")
    count = _attribute(model, "n_features_in_")
    if fitted is None:
        order = tables.order_by_place(None if count is None else int(count), names)
    else:
        order = tables.order_by_name([str(name) for name in fitted], names)
    before, final = _split(model)
    categories = None if before is not None else known_categories(final, names, types, order)
    named = (fitted is not None or count is None) and _has_pandas()
    return _Plan(names, types, order, named, categories)


def _split(model: Any) -> tuple[Any, Any]:
    """A pipeline as what comes before its last step, or None, and that step: so that both answers share the former."""
    last = model
    if type(model).__module__ == "sklearn.pipeline" and type(model).__name__ == "Pipeline":
        last = model.steps[-1][1]
        if not callable(getattr(last, "predict", None)):
            raise ModelError(
                "The model is a pipeline whose last step does not predict; save one that ends with an estimator."
            )
        return (model[:-1] if len(model.steps) > 1 else None), last
    return None, model


def _labels(model: Any) -> list[Any] | None:
    classes = _attribute(model, "classes_")
    if classes is None:
        return None
    if isinstance(classes, list):
        raise ModelError(
            f"The model predicts {len(classes)} labels for each row, expected one; serve it by a script with "
            "serving.entry."
        )
    return list(classes.tolist())


def _prediction_type(final: Any) -> str:
    """A regressor gives numbers; those that find clusters or outliers give the number of a group."""
    kind = _attribute(final, "_estimator_type")
    if kind is None:
        try:
            kind = final.__sklearn_tags__().estimator_type
        except Exception:  # an estimator of an older kind, or not scikit-learn's at all
            kind = None
    return "integer" if kind in ("clusterer", "outlier_detector") else "number"


def _flat(answers: Any) -> list[Any]:
    """One value for each row."""
    values = answers.tolist() if hasattr(answers, "tolist") else list(answers)
    if values and isinstance(values[0], list):
        if len(values[0]) != 1:
            raise ModelError(
                f"The model predicts {len(values[0])} values for each row, expected one; serve it by a script with "
                "serving.entry."
            )
        return [row[0] for row in values]
    return list(values)


def _keep_threads(model: Any) -> None:
    """Parts that were trained on all cores predict on as many as the replica has: starting threads for a row costs more."""
    threads = int(os.environ.get("OMP_NUM_THREADS") or 1)
    for part in _parts(model):
        if isinstance(getattr(part, "n_jobs", None), int) and part.n_jobs != 1:
            booster = type(part).__module__.split(".")[0] in ("xgboost", "lightgbm")
            part.n_jobs = threads if booster else 1


def _parts(model: Any) -> list[Any]:
    found = [model]
    for _, step in getattr(model, "steps", None) or []:
        found += _parts(step)
    for transformer in getattr(model, "transformers_", None) or []:
        found += _parts(transformer[1])
    return found


def _attribute(model: Any, name: str) -> Any:
    """An attribute that estimators have only where they were fitted so; properties raise what they like."""
    try:
        return getattr(model, name)
    except Exception:
        return None


def _has_pandas() -> bool:
    try:
        import pandas  # noqa: F401, ICN001
    except ImportError:
        return False
    return True
