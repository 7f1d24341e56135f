"""Boosters of XGBoost and LightGBM without an estimator around them, and what either knows of pandas' categories."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from . import tables
from .tables import Columns, Model, ModelError, Rows

_Plan = Tuple[
    List[int], Optional[Dict[str, Any]]
]  # where in a row each column is, and the categories of some


class _Booster(Model):
    """What both kinds share: how inputs become a table is found out once."""

    def __init__(self, booster: Any) -> None:
        self._booster = booster
        self._plans: dict[Any, _Plan] = {}

    def check(self, names: Sequence[str], types: Sequence[str]) -> None:
        self._plan(names, types)

    def _plan(self, names: Sequence[str], types: Sequence[str]) -> _Plan:
        key = (tuple(names), tuple(types))
        if key not in self._plans:
            self._plans[key] = self._planned(names, types)
        return self._plans[key]

    def _planned(self, names: Sequence[str], types: Sequence[str]) -> _Plan:
        raise NotImplementedError


class XgboostBooster(_Booster):
    """An XGBoost Booster: labels are 0, 1, ... as its objective has them."""

    def __init__(self, booster: Any) -> None:
        import json

        super().__init__(booster)
        learner = json.loads(booster.save_config())["learner"]
        objective = learner["objective"]["name"]
        classes = int(learner["learner_model_param"]["num_class"])
        if int(learner["learner_model_param"].get("num_target", "1")) > 1 and classes < 2:
            raise ModelError(
                "The model predicts several values for each row; serve it by a script with serving.entry."
            )
        self._kind = _kind(
            objective, {"binary:logistic"}, {"multi:softprob"}, {"multi:softmax", "binary:hinge"}
        )
        self._labels = list(range(max(classes, 2)))
        self.outputs = _outputs(self._kind, self._labels)

    def score(self, rows: Rows, names: Sequence[str], types: Sequence[str]) -> Columns:
        import xgboost

        order, categories = self._plan(names, types)
        if self._booster.feature_names:
            table = tables.frame(rows, order, names, types, categories)
        else:
            table = tables.array(rows, order, types)
        matrix = xgboost.DMatrix(table, enable_categorical=bool(categories))
        return _booster_answers(self._kind, self._labels, self._booster.predict(matrix))

    def _planned(self, names: Sequence[str], types: Sequence[str]) -> _Plan:
        fitted = self._booster.feature_names
        if fitted:
            order = tables.order_by_name(fitted, names)
        else:
            order = tables.order_by_place(self._booster.num_features(), names)
        return order, known_categories(self._booster, names, types, order)


class LightgbmBooster(_Booster):
    """A LightGBM Booster: labels are 0, 1, ... as its objective has them."""

    def __init__(self, booster: Any) -> None:
        super().__init__(booster)
        header = _header(booster)
        objective = header.get("objective", "").split(" ")[0]
        self._kind = _kind(objective, {"binary"}, {"multiclass", "multiclassova"}, set())
        self._labels = list(range(max(int(header.get("num_class", "1")), 2)))
        self.outputs = _outputs(self._kind, self._labels)

    def score(self, rows: Rows, names: Sequence[str], types: Sequence[str]) -> Columns:
        order, categories = self._plan(names, types)
        if categories:
            table = tables.frame(rows, order, names, types, categories)
        else:
            table = tables.array(rows, order, types)
        return _booster_answers(self._kind, self._labels, self._booster.predict(table))

    def _planned(self, names: Sequence[str], types: Sequence[str]) -> _Plan:
        fitted = self._booster.feature_name()
        if fitted == [f"Column_{number}" for number in range(len(fitted))]:
            order = tables.order_by_place(len(fitted), names)
            return order, known_categories(self._booster, names, types, order)
        given = {
            tables.plain_name(name): name for name in names
        }  # LightGBM keeps names without spaces and signs
        wanted = [given.get(name, name) if name not in names else name for name in fitted]
        order = tables.order_by_name(wanted, names)
        return order, known_categories(self._booster, names, types, order)


def known_categories(
    model: Any, names: Sequence[str], types: Sequence[str], order: Sequence[int]
) -> dict[str, Any] | None:
    """The categories that a booster, or an estimator around one, was fitted with, by column; None where with none."""
    library = type(model).__module__.split(".")[0]
    if library == "lightgbm":
        return _lightgbm_categories(getattr(model, "booster_", model), names, types, order)
    if library == "xgboost":
        booster = model if type(model).__name__ == "Booster" else model.get_booster()
        return _xgboost_categories(booster, names, types, order)
    return None


def _lightgbm_categories(
    booster: Any, names: Sequence[str], types: Sequence[str], order: Sequence[int]
) -> dict[str, Any] | None:
    known = booster.pandas_categorical
    if not known:
        _refuse_strings(names, types, order)
        return None
    infos = _header(booster).get("feature_infos", "").split(" ")
    chosen = [
        names[place]
        for place, info in zip(order, infos)
        if types[place] == "string" or (":" in info and not info.startswith("["))
    ]
    if len(chosen) != len(known):
        chosen = [names[place] for place in order if types[place] == "string"]
    if len(chosen) != len(known):
        raise ModelError(
            f"The model was trained with {len(known)} columns of pandas' category type, found {len(chosen)} that may "
            f"be ({tables.listed(chosen)}); declare them as strings."
        )
    return dict(zip(chosen, known))


def _xgboost_categories(
    booster: Any, names: Sequence[str], types: Sequence[str], order: Sequence[int]
) -> dict[str, Any] | None:
    kinds = booster.feature_types or []
    chosen = [place for place, kind in zip(order, kinds) if kind == "c"]
    _refuse_strings(names, types, [place for place in order if place not in chosen])
    if not chosen:
        return None
    try:
        kept = dict(booster.get_categories(export_to_arrow=True).to_arrow())
    except (
        Exception
    ) as error:  # before XGBoost 3.1 there are none, and without pyarrow they cannot be asked for
        raise ModelError(
            "The model was trained with columns of pandas' category type "
            f"({tables.listed([names[place] for place in chosen])}), and does not say which categories they have; train "
            "it with XGBoost 3.1 or newer and have pyarrow among the dependencies, or encode them in a pipeline."
        ) from error
    found = dict(zip(booster.feature_names, (kept.get(name) for name in booster.feature_names)))
    return {names[place]: _dictionary(found.get(names[place]), names[place]) for place in chosen}


def _dictionary(values: Any, name: str) -> Any:
    if values is None:
        raise ModelError(f"The model does not say which categories the column {name!r} has; save it anew.")
    return list((values.dictionary if hasattr(values, "dictionary") else values).to_pylist())


def _refuse_strings(names: Sequence[str], types: Sequence[str], order: Sequence[int]) -> None:
    strings = [names[place] for place in order if types[place] == "string"]
    if strings:
        raise ModelError(
            f"The model takes numbers, and the input {tables.listed(strings)} is a string; train it on categories, or in a pipeline that "
            "encodes them."
        )


def _header(booster: Any) -> dict[str, str]:
    """What a LightGBM model says of itself before its first tree."""
    lines = booster.model_to_string(num_iteration=1).split("\n\n", 1)[0].splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _kind(objective: str, binary: Any, multiclass: Any, label: Any) -> str:
    for kind, objectives in (("binary", binary), ("multiclass", multiclass), ("label", label)):
        if objective in objectives:
            return kind
    return "value"


def _outputs(kind: str, labels: list[int]) -> tables.Outputs:
    if kind == "value":
        return (("prediction", "number"),)
    return tables.class_outputs(labels, scored=kind != "label")


def _booster_answers(kind: str, labels: list[int], scores: Any) -> Columns:
    if kind == "binary":
        return [(scores > 0.5).astype(int).tolist(), scores.tolist()]
    if kind == "multiclass":
        return [scores.argmax(axis=1).tolist(), tables.class_scores(labels, scores)]
    if scores.ndim > 1:
        raise ModelError(
            "The model predicts several values for each row; serve it by a script with serving.entry."
        )
    return [scores.astype(int).tolist() if kind == "label" else scores.tolist()]
