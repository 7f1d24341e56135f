"""Trees of XGBoost and LightGBM as arrays, and what their objectives make of the sums."""

from __future__ import annotations

import json
import math
from typing import Any, Tuple

from . import CannotCompile
from .trees import LEAF, Trees

Made = Tuple[Trees, str, int]  # the trees, the link, and how many scores there are

_XGB_LINKS = {
    "binary:logistic": "logistic",
    "reg:logistic": "logistic",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
    "count:poisson": "exp",
    "reg:gamma": "exp",
    "reg:tweedie": "exp",
}
_XGB_PLAIN = (
    "reg:squarederror",
    "reg:linear",
    "reg:absoluteerror",
    "reg:pseudohubererror",
    "reg:quantileerror",
)
_LGB_LINKS = {
    "binary": "logistic",
    "multiclass": "softmax",
    "cross_entropy": "logistic",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
}
_LGB_PLAIN = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
_ZERO = 1e-35  # LightGBM takes what is nearer to zero for zero


def xgboost(booster: Any, rounds: int | None) -> Made:
    """A Booster's trees, of its first `rounds` rounds; sums in 32 bits, as XGBoost has them."""
    import numpy as np

    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    objective, boosting = learner["objective"]["name"], learner["gradient_booster"]
    link = _XGB_LINKS.get(objective, "none" if objective in _XGB_PLAIN else "")
    if not link:
        raise CannotCompile(f"XGBoost's objective {objective} is not among those that are compiled")
    if boosting["name"] != "gbtree":
        raise CannotCompile(f"XGBoost's booster {boosting['name']} is not made of plain trees")
    parameters, model = learner["learner_model_param"], boosting["model"]
    scores = max(int(parameters.get("num_class", "0")), int(parameters.get("num_target", "1")), 1)
    made = Trees(precision="single", mode="lt")
    for target, margin in enumerate(_margins(parameters["base_score"], link, scores)):
        made.base(target, margin)
    bounds = model.get("iteration_indptr")
    count = len(model["trees"])
    if rounds is not None:
        count = int(bounds[rounds]) if bounds else rounds * scores
    for target, tree in list(zip(model["tree_info"], model["trees"]))[:count]:
        _add_xgboost(made, int(target), tree, np)
    return made, link, scores


def _margins(stated: str, link: str, scores: int) -> list[float]:
    """The base score as it is added: in the space of the sums, in 32 bits."""
    import numpy as np

    numbers = [np.float32(float(text)) for text in stated.strip("[]").split(",")]
    if link == "logistic":
        numbers = [-np.log(np.float32(1.0) / number - np.float32(1.0)) for number in numbers]
    if link == "exp":
        numbers = [np.log(number) for number in numbers]
    return [float(number) for number in (numbers * scores if len(numbers) == 1 else numbers)]


def _add_xgboost(made: Trees, target: int, tree: dict[str, Any], np: Any) -> None:
    if any(tree.get("split_type", ())):
        raise CannotCompile("XGBoost has categorical features of its own")
    if int(tree["tree_param"].get("size_leaf_vector", "1")) > 1:
        raise CannotCompile("XGBoost's trees have several values in a leaf")
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    left = np.array(tree["left_children"])
    made.add(
        target,
        tree["split_indices"],
        conditions,
        left,
        tree["right_children"],
        tree["default_left"],
        np.where(left == LEAF, conditions, 0.0),
    )


def lightgbm(booster: Any, rounds: int | None) -> Made:
    """A Booster's trees, of its first `rounds` rounds; all in 64 bits."""
    if booster.pandas_categorical:
        raise CannotCompile("LightGBM has categorical features of its own")
    dumped = booster.dump_model(num_iteration=rounds if rounds else -1)
    objective, *settings = dumped.get("objective", "regression").split(" ")
    link = _LGB_LINKS.get(objective, "none" if objective in _LGB_PLAIN else "")
    if not link or "sqrt" in settings:
        raise CannotCompile(
            f"LightGBM's objective {dumped.get('objective')!r} is not among those that are compiled"
        )
    steepness = dict(setting.split(":", 1) for setting in settings if ":" in setting).get("sigmoid", "1")
    if link == "logistic" and float(steepness) != 1.0:
        raise CannotCompile(f"LightGBM's sigmoid is {steepness}, not 1")
    scores = int(dumped["num_tree_per_iteration"])
    made = Trees(rounded=False)
    for number, tree in enumerate(dumped["tree_info"]):
        _add_lightgbm(made, number % scores, tree["tree_structure"])
    if dumped.get("average_output"):
        made.divisor = len(dumped["tree_info"]) / scores
    return made, link, scores


def _add_lightgbm(made: Trees, target: int, root: dict[str, Any]) -> None:
    """Number the nodes of the nested form, parents before children."""
    nodes: list[dict[str, Any]] = [root]
    left, right, feature, threshold, missing, values = ([] for _ in range(6))
    for node in nodes:  # grows while it is walked
        if "leaf_coeff" in node:
            raise CannotCompile("LightGBM's trees are linear in their leaves")
        inner = "split_feature" in node
        left.append(len(nodes) if inner else LEAF)
        right.append(len(nodes) + 1 if inner else LEAF)
        if inner:
            nodes += [node["left_child"], node["right_child"]]
        feature.append(node["split_feature"] if inner else 0)
        threshold.append(float(node["threshold"]) if inner and node["decision_type"] == "<=" else 0.0)
        missing.append(_goes_left(node) if inner else False)
        values.append(0.0 if inner else float(node["leaf_value"]))
    made.add(target, feature, threshold, left, right, missing, values)


def _goes_left(node: dict[str, Any]) -> bool:
    """Where what is missing goes."""
    if node["decision_type"] != "<=":
        raise CannotCompile("LightGBM has categorical features of its own")
    threshold, kind, default = float(node["threshold"]), node["missing_type"], bool(node["default_left"])
    zero_goes_left = threshold >= 0.0
    if kind == "None":
        return zero_goes_left
    if kind == "Zero" and (default != zero_goes_left or math.fabs(threshold) <= _ZERO):
        raise CannotCompile("LightGBM takes zero for missing")
    return default
