"""The last step of a model as the second half of a plan: linear sums, trees, or what is left to other converters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Dict

from . import CannotCompile, boosters, trees
from .trees import Trees

Head = Dict[str, Any]
Decision = Dict[str, Any]
_MOST_NUMBERS = 2_000_000  # of support vectors and weights
_SAME = 1e-9  # what counts as the same when links are tried


class Made:
    """A head, or the trees to make one of; and how its scores become answers."""

    def __init__(self, decision: Decision, head: Head | None = None, forest: Trees | None = None) -> None:
        self.decision, self.head, self.trees = decision, head, forest


def make(final: Any) -> Made:
    """What an estimator or booster does to the matrix; raises CannotCompile where it is none that we know."""
    name = type(final).__name__
    library = type(final).__module__.split(".")[0]
    if name == "Booster" and library in ("xgboost", "lightgbm"):
        return _booster(final, library)
    known = _KNOWN.get((library, name))
    if known is not None:
        return known(final)
    if library == "sklearn" and hasattr(final, "coef_") and hasattr(final, "intercept_"):
        return _linear(final)
    raise CannotCompile(f"{name} is not among the estimators that are compiled")


def _classes(final: Any) -> dict[str, Any]:
    """The labels, and their text as keys of an answer; none of a regressor."""
    if not hasattr(final, "classes_"):
        return {"classes": [], "names": []}
    labels = final.classes_.tolist() if hasattr(final.classes_, "tolist") else list(final.classes_)
    if len(labels) < 2:
        raise CannotCompile("it knows one class only")
    return {"classes": labels, "names": [label if isinstance(label, str) else str(label) for label in labels]}


def _forest(model: Any) -> Made:
    if model.n_outputs_ > 1:
        raise CannotCompile("it predicts several values for each row")
    classes = _classes(model)
    rule = "above" if len(classes["classes"]) == 2 else "most"
    return Made({"link": "none", "rule": rule, **classes}, forest=trees.forest(model))


def _gradient(model: Any) -> Made:
    made = trees.gradient_boosting(model)
    classes = _classes(model)
    if not classes["classes"]:
        return Made({"link": "none", **classes}, forest=made)
    if len(classes["classes"]) > 2:
        return Made({"link": "softmax", "rule": "most", "of": "scores", **classes}, forest=made)
    if model.loss == "exponential":
        raise CannotCompile("GradientBoostingClassifier has the loss `exponential`")
    rule = {"rule": "above", "of": "scores", "limit": 0.0, "inclusive": True}
    return Made({"link": "logistic", **rule, **classes}, forest=made)


def _histogram(model: Any) -> Made:
    made = trees.histogram_boosting(model)
    classes = _classes(model)
    if not classes["classes"]:
        link = {"poisson": "exp", "gamma": "exp"}.get(str(model.loss), "none")
        return Made({"link": link, **classes}, forest=made)
    if len(classes["classes"]) > 2:
        return Made({"link": "softmax", "rule": "most", **classes}, forest=made)
    return Made({"link": "logistic", "rule": "above", **classes}, forest=made)


def _xgboost(model: Any) -> Made:
    missing = model.missing
    if missing is not None and missing == missing:
        raise CannotCompile(f"XGBoost takes {missing!r} for missing")
    try:
        rounds: int | None = int(model.best_iteration) + 1
    except AttributeError:
        rounds = None
    made, link, scores = boosters.xgboost(model.get_booster(), rounds)
    return Made(_boosted(link, scores, _classes(model)), forest=made)


def _lightgbm(model: Any) -> Made:
    made, link, scores = boosters.lightgbm(model.booster_, None)
    return Made(_boosted(link, scores, _classes(model)), forest=made)


def _booster(booster: Any, library: str) -> Made:
    made, link, scores = getattr(boosters, library)(booster, None)
    classes = list(range(scores)) if scores > 1 else []
    if link == "logistic" and _binary(booster, library):
        classes = [0, 1]
    names = [str(label) for label in classes]
    return Made(_boosted(link, scores, {"classes": classes, "names": names}), forest=made)


def _binary(booster: Any, library: str) -> bool:
    if library == "xgboost":
        return '"binary:logistic"' in booster.save_config()
    return bool(booster.dump_model(num_iteration=1)["objective"].startswith("binary"))


def _boosted(link: str, scores: int, classes: dict[str, Any]) -> Decision:
    if not classes["classes"]:
        if scores > 1:
            raise CannotCompile("it predicts several values for each row")
        return {"link": link, **classes}
    return {"link": link, "rule": "above" if scores == 1 else "most", **classes}


def _linear(model: Any) -> Made:
    """scores = X @ coef_.T + intercept_; which link gives its probabilities is found by trying."""
    import numpy as np

    coefficients = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    intercepts = np.broadcast_to(
        np.asarray(model.intercept_, dtype=np.float64).reshape(-1), (len(coefficients),)
    )
    probe = np.random.default_rng(0).normal(size=(64, coefficients.shape[1]))
    scores = probe @ coefficients.T + intercepts
    head = {"type": "linear", "coefficients": coefficients.tolist(), "intercepts": intercepts.tolist()}
    classes = _classes(model)
    if not classes["classes"]:
        return Made(
            {
                "link": _fitting(
                    ("none", "exp"), scores, np.asarray(model.predict(probe)).reshape(-1, 1), model
                ),
                **classes,
            },
            head,
        )
    rule = (
        {"rule": "above", "of": "scores", "limit": 0.0}
        if len(coefficients) == 1
        else {"rule": "most", "of": "scores"}
    )
    if not callable(getattr(model, "predict_proba", None)):
        return Made({"link": "none", **rule, **classes}, head)
    wanted = model.predict_proba(probe)
    links = ("logistic", "twice") if len(coefficients) == 1 else ("softmax", "shares")
    link = _fitting(links, scores, wanted[:, 1:] if len(coefficients) == 1 else wanted, model)
    if link == "twice":  # two classes as a softmax of the score and its opposite
        link = "logistic"
        head = {
            "type": "linear",
            "coefficients": (2 * coefficients).tolist(),
            "intercepts": (2 * intercepts).tolist(),
        }
    return Made({"link": link, **rule, **classes}, head)


def _machine(model: Any) -> Made:
    """A support vector machine of two classes, or for a number."""
    classes = _classes(model)
    if len(classes["classes"]) > 2:
        raise CannotCompile(f"{type(model).__name__} has more than two classes")
    if callable(getattr(model, "predict_proba", None)):
        raise CannotCompile(f"{type(model).__name__} has probabilities, which are not what it decides by")
    if model.kernel not in ("linear", "poly", "rbf", "sigmoid") or hasattr(model.support_vectors_, "toarray"):
        raise CannotCompile(
            f"{type(model).__name__} has a kernel of its own, or was trained on a sparse matrix"
        )
    if model.support_vectors_.size > _MOST_NUMBERS:
        raise CannotCompile(f"{type(model).__name__} has {len(model.support_vectors_)} support vectors")
    head = {
        "type": "kernel",
        "kernel": model.kernel,
        "gamma": float(model._gamma),
        "constant": float(model.coef0),
        "degree": float(model.degree),
        "vectors": model.support_vectors_.tolist(),
        "weights": model.dual_coef_.tolist(),
        "intercepts": model.intercept_.tolist(),
    }
    rule = {"rule": "above", "of": "scores", "limit": 0.0, "inclusive": True} if classes["classes"] else {}
    return Made({"link": "none", **rule, **classes}, head)


def _network(model: Any) -> Made:
    """MLPClassifier and MLPRegressor."""
    if sum(weights.size for weights in model.coefs_) > _MOST_NUMBERS:
        raise CannotCompile("it has too many weights")
    layers = [
        {"weights": weights.tolist(), "biases": biases.tolist()}
        for weights, biases in zip(model.coefs_, model.intercepts_)
    ]
    head = {"type": "layers", "activation": model.activation, "layers": layers}
    classes = _classes(model)
    links = {"logistic": "logistic", "softmax": "softmax", "identity": "none", "exp": "exp"}
    if model.out_activation_ not in links:
        raise CannotCompile(f"its last layer has the activation {model.out_activation_}")
    link = links[model.out_activation_]
    scores = len(model.intercepts_[-1])
    if not classes["classes"]:
        if scores > 1:
            raise CannotCompile("it predicts several values for each row")
        return Made({"link": link, **classes}, head)
    return Made({"link": link, "rule": "above" if scores == 1 else "most", **classes}, head)


def _fitting(links: tuple[str, ...], scores: Any, wanted: Any, model: Any) -> str:
    import numpy as np

    for link in links:
        made = _LINKS[link](scores, np)
        if made.shape == wanted.shape and np.allclose(made, wanted, rtol=_SAME, atol=_SAME):
            return link
    raise CannotCompile(f"{type(model).__name__} does not answer by its coefficients alone")


def _softmax(scores: Any, np: Any) -> Any:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _shares(scores: Any, np: Any) -> Any:
    each = 1.0 / (1.0 + np.exp(-scores))
    return each / each.sum(axis=1, keepdims=True)


_LINKS: dict[str, Callable[[Any, Any], Any]] = {
    "none": lambda scores, np: scores,
    "exp": lambda scores, np: np.exp(scores),
    "logistic": lambda scores, np: 1.0 / (1.0 + np.exp(-scores)),
    "twice": lambda scores, np: 1.0 / (1.0 + np.exp(-2.0 * scores)),
    "softmax": _softmax,
    "shares": _shares,
}
_FORESTS: list[str] = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
]
_KNOWN: dict[tuple[str, str], Callable[[Any], Made]] = {
    **{("sklearn", name): _forest for name in _FORESTS},
    ("sklearn", "GradientBoostingClassifier"): _gradient,
    ("sklearn", "GradientBoostingRegressor"): _gradient,
    ("sklearn", "HistGradientBoostingClassifier"): _histogram,
    ("sklearn", "HistGradientBoostingRegressor"): _histogram,
    ("sklearn", "SVC"): _machine,
    ("sklearn", "SVR"): _machine,
    ("sklearn", "MLPClassifier"): _network,
    ("sklearn", "MLPRegressor"): _network,
    ("xgboost", "XGBClassifier"): _xgboost,
    ("xgboost", "XGBRegressor"): _xgboost,
    ("xgboost", "XGBRFClassifier"): _xgboost,
    ("xgboost", "XGBRFRegressor"): _xgboost,
    ("lightgbm", "LGBMClassifier"): _lightgbm,
    ("lightgbm", "LGBMRegressor"): _lightgbm,
}
