"""Trees of scikit-learn's ensembles as arrays."""

from __future__ import annotations

from typing import Any

from . import CannotCompile

LEAF = -1


class Trees:
    """Trees one behind the other; nodes are numbered within each tree, the root is 0, `left` of a leaf is -1.

    values: what a leaf gives, one number or one for each class. target: which score a tree adds to.
    """

    def __init__(self, precision: str = "double", mode: str = "leq", rounded: bool = True) -> None:
        self.precision, self.mode, self.rounded = precision, mode, rounded
        self.divisor = 1.0
        self._parts: dict[str, list[Any]] = {
            name: [] for name in ("feature", "threshold", "left", "right", "missing", "values")
        }
        self._sizes: list[int] = []
        self._targets: list[int] = []

    def add(
        self, target: int, feature: Any, threshold: Any, left: Any, right: Any, missing: Any, values: Any
    ) -> None:
        """One tree; `missing` says of each node whether what is missing goes left."""
        import numpy as np

        parts = {"feature": feature, "threshold": threshold, "left": left, "right": right, "missing": missing}
        for name, array in parts.items():
            self._parts[name].append(np.asarray(array))
        self._parts["values"].append(
            np.asarray(values, dtype=np.float64).reshape(len(self._parts["left"][-1]), -1)
        )
        self._sizes.append(len(self._parts["left"][-1]))
        self._targets.append(target)

    def base(self, target: int, value: float) -> None:
        """What a score begins with: a tree of one leaf, so that it is added where the original adds it."""
        self.add(target, [0], [0.0], [LEAF], [LEAF], [False], [value])

    def save(self, path: str) -> dict[str, Any]:
        """Write the arrays; returns what describes them."""
        import numpy as np

        if not self._sizes:
            raise CannotCompile("it has no trees")
        arrays = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        types = {
            "feature": np.int32,
            "threshold": np.float64,
            "left": np.int32,
            "right": np.int32,
            "missing": np.bool_,
        }
        arrays.update({name: arrays[name].astype(kind) for name, kind in types.items()})
        arrays.update(sizes=np.array(self._sizes), targets=np.array(self._targets))
        save: Any = np.savez
        save(path, **arrays)
        return {
            "precision": self.precision,
            "mode": self.mode,
            "rounded": self.rounded,
            "divisor": self.divisor,
        }


def forest(model: Any) -> Trees:
    """RandomForest, ExtraTrees or a single decision tree; its trees' leaves hold shares of classes, or the value."""
    made = Trees()
    members = getattr(model, "estimators_", None) or [model]
    if not hasattr(model, "tree_"):
        made.divisor = float(len(members))
    for member in members:
        _add(
            made,
            0,
            member.tree_,
            _shares(member.tree_) if hasattr(model, "classes_") else member.tree_.value[:, 0, :],
        )
    return made


def gradient_boosting(model: Any) -> Trees:
    """GradientBoostingClassifier and -Regressor."""
    import numpy as np

    if model.init not in (None, "zero") and type(model.init_).__name__ not in (
        "DummyClassifier",
        "DummyRegressor",
    ):
        raise CannotCompile(f"its first guess is made by {type(model.init_).__name__}")
    made = Trees()
    start = np.asarray(
        model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))
    ).reshape(-1)
    for target in range(model.estimators_.shape[1]):
        made.base(target, float(start[target]))
        for member in model.estimators_[:, target]:
            _add(made, target, member.tree_, model.learning_rate * member.tree_.value[:, 0, :])
    return made


def histogram_boosting(model: Any) -> Trees:
    """HistGradientBoostingClassifier and -Regressor: thresholds and inputs are of 64 bits."""
    import numpy as np

    if getattr(model, "is_categorical_", None) is not None and np.any(model.is_categorical_):
        raise CannotCompile(f"{type(model).__name__} has categorical features of its own")
    made = Trees(rounded=False)
    start = np.asarray(model._baseline_prediction, dtype=np.float64).reshape(-1)
    for target, value in enumerate(start):
        made.base(target, float(value))
        for iteration in model._predictors:
            nodes = iteration[target].nodes
            leaf = nodes["is_leaf"].astype(bool)
            left = np.where(leaf, LEAF, nodes["left"].astype(np.int64))
            right = np.where(leaf, LEAF, nodes["right"].astype(np.int64))
            made.add(
                target,
                nodes["feature_idx"],
                nodes["num_threshold"],
                left,
                right,
                nodes["missing_go_to_left"],
                nodes["value"],
            )
    return made


def _add(made: Trees, target: int, tree: Any, values: Any) -> None:
    import numpy as np

    missing = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count, dtype=bool))
    made.add(target, tree.feature, tree.threshold, tree.children_left, tree.children_right, missing, values)


def _shares(tree: Any) -> Any:
    """Shares of the classes at each node; before scikit-learn 1.3 a tree holds their weights."""
    import numpy as np

    values = tree.value[:, 0, :]
    sums = values.sum(axis=1, keepdims=True)
    if np.allclose(sums, 1.0, rtol=0.0, atol=1e-6):
        return values
    return values / np.where(sums == 0.0, 1.0, sums)
