"""Which estimator a drafted script begins with, by the size and the kind of the data."""

from __future__ import annotations

from dataclasses import dataclass

_SLOW = 50_000  # rows times classes from which plain boosting takes too long


@dataclass(frozen=True)
class Model:
    """An estimator of scikit-learn: where it is imported from, how it is made, its options, and why this one."""

    module: str
    name: str
    arguments: str
    options: tuple[tuple[str, str, str, str], ...]  # option, type, default, help
    comment: str


_TREES = ("--trees", "int", "100", "boosted trees")
_LEAF = ("--min-leaf", "int", "5", "least rows in a leaf")


def chosen(task: str, rows: int, classes: int, texts: bool) -> Model:
    """Linear where there is text; else boosted trees, in the variant that is quick for so many rows."""
    regression = task == "regression"
    kind = "Regressor" if regression else "Classifier"
    if texts and regression:
        alpha = ("--alpha", "float", "1.0", "strength of the penalty on large weights")
        return Model("sklearn.linear_model", "Ridge", "alpha=arguments.alpha", (alpha,), _WIDE)
    if texts:
        weight = ("--c", "float", "10.0", "inverse strength of the penalty on large weights")
        arguments = "C=arguments.c, max_iter=1000"
        return Model("sklearn.linear_model", "LogisticRegression", arguments, (weight,), _WIDE)
    if rows * (classes if classes > 2 else 1) > _SLOW:
        arguments = "max_iter=arguments.trees, min_samples_leaf=arguments.min_leaf, random_state=0"
        name = f"HistGradientBoosting{kind}"
        return Model("sklearn.ensemble", name, arguments, (_TREES, _LEAF), "# Quick with many rows.")
    arguments = "n_estimators=arguments.trees, min_samples_leaf=arguments.min_leaf, random_state=0"
    comment = "# Boosted trees answer one row in a tenth of the time that a forest of as many takes."
    return Model("sklearn.ensemble", f"GradientBoosting{kind}", arguments, (_TREES, _LEAF), comment)


_WIDE = "# Linear: words make thousands of columns, most of them empty in each row."
