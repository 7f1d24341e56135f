"""A whole model: its pipeline walked, and what the original takes or refuses found by asking it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import CannotCompile, heads
from .preprocessing import Source, flatten, prepare
from .trees import Trees


class Converted:
    """A plan, without its head where that has to be made of trees."""

    def __init__(self, plan: dict[str, Any], kind: str, forest: Trees | None) -> None:
        self.plan, self.kind, self.trees = plan, kind, forest


class _Original:
    """What the walk needs of a model as scoring/models has it: the object itself, and the table that it is given."""

    def __init__(self, model: Any, names: Sequence[str], types: Sequence[str]) -> None:
        plan = model._plan(tuple(names), tuple(types))
        if hasattr(model, "_booster"):
            self.whole, self.order = model._booster, plan[0]
            self.table = lambda rows: _array(rows, self.order)
        else:
            self.whole, self.order, self.table = model._whole, plan._order, plan.table


def _array(rows: Any, order: Sequence[int]) -> Any:
    """Rows of numbers as an array."""
    import numpy as np

    return np.array([[row[place] for place in order] for row in rows], dtype=np.float64)


def convert(model: Any, names: Sequence[str], types: Sequence[str], example: Sequence[Any]) -> Converted:
    """`model` as scoring/models loads it; `example` is a row that it takes. Raises CannotCompile."""
    if not hasattr(model, "_whole") and not hasattr(model, "_booster"):
        raise CannotCompile("it is no model of scikit-learn, XGBoost or LightGBM")
    original = _Original(model, names, types)
    steps, final = _split(original.whole)
    source = Source(names, types, original.order, original.table, example)
    prepared = prepare(steps, source)
    if prepared.taken < len(steps):
        raise CannotCompile(prepared.trouble)
    made = heads.make(final)
    if _sparse(steps, source, final):
        prepared.steps.append({"op": "unset"})
    width = getattr(final, "n_features_in_", None)
    if width is not None and int(width) != prepared.width:
        raise CannotCompile(f"its preprocessing makes {prepared.width} columns, and the model takes {width}")
    plan = {
        "inputs": list(names),
        "outputs": [{"name": name, "type": kind} for name, kind in model.outputs],
        "width": prepared.made,
        "width_of_head": prepared.width,
        "blocks": prepared.blocks,
        "steps": prepared.steps,
        "head": made.head,
        "decision": made.decision,
        "refuses_missing": _refuses_missing(model, names, types, example),
        "refuses_infinite": _refuses_infinite(model, names, types, example),
    }
    return Converted(plan, type(final).__name__, made.trees)


def _split(original: Any) -> tuple[list[Any], Any]:
    """The transformers, and the estimator behind them."""
    if type(original).__name__ == "Pipeline" and type(original).__module__.startswith("sklearn."):
        before = [one for _, step in original.steps[:-1] for one in flatten(step)]
        inner, final = _split(original.steps[-1][1])
        return before + inner, final
    return [], original


def _sparse(steps: list[Any], source: Source, final: Any) -> bool:
    """Whether XGBoost gets a sparse matrix: to it, what that does not hold is missing, and not zero."""
    if not steps or type(final).__module__.split(".")[0] != "xgboost":
        return False
    table = source.table([source.example])
    for step in steps:
        table = step.transform(table)
    return hasattr(table, "toarray")


def _refuses_missing(
    model: Any, names: Sequence[str], types: Sequence[str], example: Sequence[Any]
) -> list[int]:
    """The inputs of which the original takes no missing value."""
    return [place for place in range(len(names)) if _refuses(model, names, types, example, place, None)]


def _refuses_infinite(model: Any, names: Sequence[str], types: Sequence[str], example: Sequence[Any]) -> bool:
    numbers = [place for place, kind in enumerate(types) if kind == "number"]
    return any(_refuses(model, names, types, example, place, float("inf")) for place in numbers)


def _refuses(
    model: Any, names: Sequence[str], types: Sequence[str], example: Sequence[Any], place: int, value: Any
) -> bool:
    row = list(example)
    row[place] = value
    try:
        model.score([row], names, types)
    except Exception:  # whatever a library raises over a value that it does not take
        return True
    return False
