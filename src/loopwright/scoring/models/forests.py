"""Forests of scikit-learn, tree by tree: its own way to ask them takes several times as long as the trees do.

scikit-learn hands each tree to joblib as a task with settings and checks of its own, 50 us for 10 us of work. Here the trees
are asked directly and their probabilities added up in the same order, so that the sums are the same to the last bit. Whether
they are is seen at the first call: where another release does it differently, the forest is asked as usual from then on.
"""

from __future__ import annotations

from typing import Any

_KINDS = ("RandomForestClassifier", "ExtraTreesClassifier")


class Forest:
    """`predict_proba` of a forest with one label for each row."""

    def __init__(self, forest: Any) -> None:
        self._forest = forest
        self._trees = [one.tree_ for one in forest.estimators_]
        self._classes = int(forest.n_classes_)
        self._equal: bool | None = None  # not known before the first call

    def predict_proba(self, table: Any) -> Any:
        if self._equal is False:
            return self._forest.predict_proba(table)
        quick = self._sum(table)
        if self._equal is None:
            usual = self._forest.predict_proba(table)
            self._equal = quick is not None and bool((quick == usual).all())
            return usual
        return quick

    def _sum(self, table: Any) -> Any:
        try:
            checked = self._forest._validate_X_predict(table)
            total = self._trees[0].predict(checked)[:, : self._classes].copy()
            for tree in self._trees[1:]:
                total += tree.predict(checked)[:, : self._classes]
        except (AttributeError, TypeError, IndexError):  # other insides than those we know
            if self._equal is None:
                return None
            raise
        total /= len(self._trees)
        return total


def quick(model: Any) -> Any:
    """The model, or a quicker way to ask it."""
    known = type(model).__module__ == "sklearn.ensemble._forest" and type(model).__name__ in _KINDS
    return Forest(model) if known and getattr(model, "n_outputs_", 1) == 1 else model
