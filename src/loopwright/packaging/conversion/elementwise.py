"""Transformers that work on numbers column by column, or choose or mix columns, as steps of a plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Dict, List, Tuple

from . import CannotCompile

Step = Dict[str, Any]
Steps = Tuple[List[Step], int]  # what is done, and how many columns there are then


def steps_of(transformer: Any, width: int) -> Steps:
    """What a fitted transformer does to a matrix of `width` columns; raises CannotCompile where we have no such step."""
    if transformer is None or transformer == "passthrough":
        return [], width
    known = _KNOWN.get(type(transformer).__name__)
    library = type(transformer).__module__.split(".")[0]
    if library != "sklearn" or (known is None and not callable(getattr(transformer, "get_support", None))):
        raise CannotCompile(f"{type(transformer).__name__} is not among the transformers that are compiled")
    made = (known or _chosen)(transformer, width)
    return made[0], made[1]


def _values(array: Any) -> list[float]:
    return [float(value) for value in array]


def _imputer(imputer: Any, width: int) -> Steps:
    if not _is_missing(imputer.missing_values):
        raise CannotCompile(f"SimpleImputer(missing_values={imputer.missing_values!r}) on numbers")
    try:
        fill = _values(imputer.statistics_)
    except (TypeError, ValueError) as error:
        raise CannotCompile("a SimpleImputer fills numbers with text") from error
    steps: list[Step] = []
    indicator = getattr(imputer, "indicator_", None) if imputer.add_indicator else None
    marked = [int(at) for at in indicator.features_] if indicator is not None else []
    if marked:
        steps.append({"op": "indicate", "at": marked})
    kept = list(range(width))
    if any(math.isnan(value) for value in fill):
        if getattr(imputer, "keep_empty_features", False):
            raise CannotCompile("a SimpleImputer keeps a feature that was always missing")
        kept = [at for at in kept if not math.isnan(fill[at])]
        fill = [0.0 if math.isnan(value) else value for value in fill]
    steps.append({"op": "fill", "values": fill + [0.0] * len(marked)})
    if len(kept) < width:
        steps.append({"op": "take", "at": kept + list(range(width, width + len(marked)))})
    return steps, len(kept) + len(marked)


def _is_missing(value: Any) -> bool:
    return (
        value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType"
    )


def _standard(scaler: Any, width: int) -> Steps:
    steps = []
    if scaler.with_mean and scaler.mean_ is not None:
        steps.append({"op": "subtract", "values": _values(scaler.mean_)})
    if scaler.with_std and scaler.scale_ is not None:
        steps.append({"op": "divide", "values": _values(scaler.scale_)})
    return steps, width


def _minmax(scaler: Any, width: int) -> Steps:
    steps = [
        {"op": "multiply", "values": _values(scaler.scale_)},
        {"op": "add", "values": _values(scaler.min_)},
    ]
    return steps + _clip(scaler, [float(one) for one in scaler.feature_range], width), width


def _clip(scaler: Any, bounds: Sequence[float], width: int) -> list[Step]:
    if not getattr(scaler, "clip", False):
        return []
    return [
        {"op": "atleast", "values": [bounds[0]] * width},
        {"op": "atmost", "values": [bounds[1]] * width},
    ]


def _maxabs(scaler: Any, width: int) -> Steps:
    return [{"op": "divide", "values": _values(scaler.scale_)}, *_clip(scaler, (-1.0, 1.0), width)], width


def _robust(scaler: Any, width: int) -> Steps:
    steps = []
    if scaler.with_centering:
        steps.append({"op": "subtract", "values": _values(scaler.center_)})
    if scaler.with_scaling:
        steps.append({"op": "divide", "values": _values(scaler.scale_)})
    return steps, width


def _function(transformer: Any, width: int) -> Steps:
    if transformer.func is not None:
        raise CannotCompile("a FunctionTransformer calls a function of its own")
    return [], width


def _chosen(selector: Any, width: int) -> Steps:
    del width
    kept = [int(at) for at in selector.get_support(indices=True)]
    return [{"op": "take", "at": kept}], len(kept)


def _components(transformer: Any, width: int) -> Steps:
    steps: list[Step] = []
    if getattr(transformer, "mean_", None) is not None:
        steps.append({"op": "subtract", "values": _values(transformer.mean_)})
    components = transformer.components_
    steps.append({"op": "product", "by": components.T.tolist()})
    if getattr(transformer, "whiten", False):
        steps.append({"op": "divide", "values": _values(transformer.explained_variance_**0.5)})
    return steps, len(components)


_KNOWN: dict[str, Callable[[Any, int], Steps]] = {
    "SimpleImputer": _imputer,
    "StandardScaler": _standard,
    "MinMaxScaler": _minmax,
    "MaxAbsScaler": _maxabs,
    "RobustScaler": _robust,
    "FunctionTransformer": _function,
    "PCA": _components,
    "TruncatedSVD": _components,
}
COLUMNWISE = frozenset(
    ("SimpleImputer", "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "FunctionTransformer")
)
