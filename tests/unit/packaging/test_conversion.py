"""Fitted models of scikit-learn, XGBoost and LightGBM, compiled and asked beside their originals."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from compiled_rig import Rig
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from loopwright.packaging.conversion import CannotCompile
from loopwright.scoring.refusals import InvalidInput

NAMES, TYPES = ["port", "age", "fare", "sibs"], ["string", "number", "number", "integer"]


def made_rows(count: int, gaps: float, seed: int = 0) -> list[tuple[Any, ...]]:
    chance = random.Random(seed)

    def value(found: Any) -> Any:
        return None if chance.random() < gaps else found

    return [
        (
            value(chance.choice("SCQ")),
            value(round(chance.uniform(0, 80), 1)),
            value(chance.choice([7.25, 8.05, chance.uniform(0, 90)])),
            chance.randrange(5),
        )
        for _ in range(count)
    ]


ROWS = made_rows(240, gaps=0.1)
TABLE = pd.DataFrame(ROWS, columns=NAMES).astype({"age": float, "fare": float, "port": "str"})
_SCORE = TABLE["fare"].fillna(20) / 30 + (TABLE["port"] == "C") + TABLE["sibs"] / 4
BINARY = (_SCORE.gt(_SCORE.median())).astype(int).to_numpy()
THREE = np.array(["high", "low", "middle"])[np.digitize(_SCORE, _SCORE.quantile([0.3, 0.6]))]
AMOUNT = _SCORE.to_numpy()
OTHERS = [
    *made_rows(400, gaps=0.2, seed=1),
    ("unseen", 3.0, 4.0, 9),
    ("", None, None, 0),
    ("C", -1e6, 1e6, 77),
]


def prepared(final: Any, numbers: Any = None, strings: Any = None) -> Any:
    strings = strings or make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    numbers = numbers or make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer((strings, ["port"]), (numbers, ["age", "fare", "sibs"]))
    return make_pipeline(columns, final)


@pytest.mark.parametrize(
    "final",
    [
        RandomForestClassifier(20, random_state=0),
        RandomForestClassifier(20, min_samples_leaf=3, random_state=0),
        ExtraTreesClassifier(20, random_state=0),
        DecisionTreeClassifier(random_state=0),
        GradientBoostingClassifier(n_estimators=20),
        HistGradientBoostingClassifier(max_iter=20),
        LogisticRegression(),
        LinearSVC(),
        SGDClassifier(loss="log_loss", random_state=0),
        MLPClassifier(hidden_layer_sizes=(8,), max_iter=20, random_state=0),
        xgboost.XGBClassifier(n_estimators=10),
        lightgbm.LGBMClassifier(n_estimators=10, verbose=-1),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("labels", ["two", "three"])
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_a_classifier_answers_as_its_original(tmp_path: Path, final: Any, labels: str) -> None:
    wanted = BINARY if labels == "two" else THREE
    if labels == "three" and isinstance(final, xgboost.XGBClassifier):
        wanted = np.unique(THREE, return_inverse=True)[1]  # it takes no strings
    rig = Rig(prepared(final).fit(TABLE, wanted), NAMES, TYPES, ROWS[0], tmp_path)
    for form in rig.forms():
        verdict = rig.compare(OTHERS)
        assert verdict.equal, (form, verdict.example)
        assert max(verdict.worst.values()) <= 2e-7


@pytest.mark.parametrize(
    "final",
    [
        LinearRegression(),
        Ridge(),
        PoissonRegressor(),
        RandomForestRegressor(10, random_state=0),
        GradientBoostingRegressor(n_estimators=10),
        HistGradientBoostingRegressor(max_iter=10, loss="poisson"),
        SVR(kernel="poly"),
        MLPRegressor(hidden_layer_sizes=(8,), activation="tanh", max_iter=20),
        xgboost.XGBRegressor(n_estimators=10),
        lightgbm.LGBMRegressor(n_estimators=10, verbose=-1),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_a_regressor_answers_as_its_original(tmp_path: Path, final: Any) -> None:
    rig = Rig(prepared(final).fit(TABLE, AMOUNT), NAMES, TYPES, ROWS[0], tmp_path)
    for form in rig.forms():
        verdict = rig.compare(OTHERS[:-1])  # the last is beyond what an exponential bears
        assert verdict.equal, (form, verdict.example)


@pytest.mark.parametrize(
    ("numbers", "strings"),
    [
        (SimpleImputer(strategy="median", add_indicator=True), None),
        (make_pipeline(SimpleImputer(strategy="constant", fill_value=-1), MinMaxScaler(clip=True)), None),
        (make_pipeline(SimpleImputer(), RobustScaler()), OneHotEncoder(handle_unknown="ignore", drop="first")),
        ("passthrough", OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=70)),
        ("passthrough", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
        (make_pipeline(SimpleImputer(), PCA(2)), None),
        (make_pipeline(SimpleImputer(), SelectKBest(k=1)), make_pipeline(TargetEncoder(), StandardScaler())),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_what_stands_before_the_model_is_done_as_by_the_original(
    tmp_path: Path, numbers: Any, strings: Any
) -> None:
    model = prepared(xgboost.XGBClassifier(n_estimators=5), numbers, strings)
    if "selectkbest" in str(numbers).lower():  # which looks at labels
        model = prepared(
            RandomForestClassifier(5, random_state=0), make_pipeline(SimpleImputer(), RobustScaler()), strings
        )
    verdict = Rig(model.fit(TABLE, BINARY), NAMES, TYPES, ROWS[0], tmp_path).compare(OTHERS)
    assert verdict.equal, verdict.example


@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid"])
def test_a_support_vector_machine_decides_as_its_original(tmp_path: Path, kernel: str) -> None:
    model = prepared(SVC(kernel=kernel)).fit(TABLE, np.array(["no", "yes"])[BINARY])
    rig = Rig(model, NAMES, TYPES, ROWS[0], tmp_path)
    assert rig.compare(OTHERS).equal
    assert {"no", "yes"} == set(rig.compiled.score(OTHERS)[0])


def test_columns_by_position_of_an_array_without_names(tmp_path: Path) -> None:
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), [0]), (SimpleImputer(), slice(1, 4))
    )
    model = make_pipeline(columns, GradientBoostingClassifier(n_estimators=5))
    model.fit(TABLE.fillna({"port": "S"}).to_numpy(dtype=object), BINARY)
    rows = [row for row in OTHERS if row[0] is not None]
    assert Rig(model, NAMES, TYPES, ROWS[0], tmp_path).compare(rows).equal


def test_columns_in_another_order_and_fewer_than_there_are_inputs(tmp_path: Path) -> None:
    model = make_pipeline(SimpleImputer(), DecisionTreeClassifier(random_state=0))
    model.fit(TABLE[["sibs", "age"]], BINARY)
    assert Rig(model, NAMES, TYPES, ROWS[0], tmp_path).compare(OTHERS).equal


def test_true_and_false_are_numbers_and_categories(tmp_path: Path) -> None:
    rows = [(n % 3 == 0, n % 2 == 0, float(n % 7)) for n in range(60)]
    table = pd.DataFrame(rows, columns=["rich", "old", "age"])
    columns = make_column_transformer((OneHotEncoder(), ["rich"]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression()).fit(table, np.arange(60) % 4 == 0)
    rig = Rig(model, ["rich", "old", "age"], ["boolean", "boolean", "number"], rows[0], tmp_path)
    assert rig.compare(rows).equal
    assert {type(answer) for answer in rig.compiled.score(rows)[0]} == {bool}


def test_what_a_sparse_matrix_lacks_is_missing_for_xgboost(tmp_path: Path) -> None:
    wide = pd.DataFrame({"port": [f"p{n % 60}" for n in range(300)], "age": np.arange(300.0) % 7})
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["port"]), remainder="passthrough"
    )
    model = make_pipeline(columns, xgboost.XGBClassifier(n_estimators=5)).fit(wide, np.arange(300) % 2)
    rig = Rig(model, ["port", "age"], ["string", "number"], ["p1", 1.0], tmp_path)
    assert {"op": "unset"} in rig.plan["steps"]
    assert rig.compare([(f"p{n}", float(n % 9)) for n in range(70)]).equal


def test_a_booster_ends_where_early_stopping_found_its_best(tmp_path: Path) -> None:
    numbers = TABLE[["age", "fare", "sibs"]]
    stopping = xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=2)
    stopping.fit(numbers, BINARY, eval_set=[(numbers[:40], 1 - BINARY[:40])], verbose=False)
    rig = Rig(stopping, NAMES[1:], TYPES[1:], ROWS[0][1:], tmp_path)
    assert rig.compare([row[1:] for row in OTHERS]).equal


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_a_booster_without_an_estimator_has_labels_by_number(tmp_path: Path, library: str) -> None:
    numbers = TABLE[["age", "fare", "sibs"]]
    if library == "xgboost":
        fitted: Any = xgboost.train(
            {"objective": "multi:softprob", "num_class": 3},
            xgboost.DMatrix(numbers, np.unique(THREE, return_inverse=True)[1]),
            5,
        )
    else:
        fitted = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(numbers, BINARY), 5)
    verdict = Rig(fitted, NAMES[1:], TYPES[1:], ROWS[0][1:], tmp_path).compare([row[1:] for row in OTHERS])
    assert verdict.equal, verdict.example


def test_a_category_that_the_original_refuses_is_refused_by_field_and_row(tmp_path: Path) -> None:
    known = TABLE.dropna()
    model = prepared(DecisionTreeClassifier(random_state=0), strings=OneHotEncoder()).fit(
        known, BINARY[known.index]
    )
    rig = Rig(model, NAMES, TYPES, ("S", 1.0, 2.0, 3), tmp_path)
    for wrong, found in (("unseen", "'unseen'"), (None, "null")):
        with pytest.raises(InvalidInput, match=found) as caught:
            rig.compiled.score([("S", 1.0, 2.0, 3), (wrong, 1.0, 2.0, 3)])
        assert (caught.value.details["field"], caught.value.details["row"]) == ("port", 1)


@pytest.mark.parametrize(
    ("model", "row", "told"),
    [
        (LogisticRegression(), (1.0, None, 3), "Row 1: field 'fare' is null"),
        (LogisticRegression(), (float("inf"), 2.0, 3), "Row 1: field 'age' is inf"),
        (
            RandomForestClassifier(3),
            (1.0, 1e41, 3),
            r"field 'fare' is 1e\+41, expected a number up to 3.4e\+38",
        ),
    ],
)
def test_numbers_are_refused_where_the_original_refuses_them(
    tmp_path: Path, model: Any, row: tuple[Any, ...], told: str
) -> None:
    numbers = TABLE[["age", "fare", "sibs"]].fillna(0)
    rig = Rig(
        make_pipeline(StandardScaler(), model).fit(numbers, BINARY),
        NAMES[1:],
        TYPES[1:],
        (1.0, 2.0, 3),
        tmp_path,
    )
    with pytest.raises(InvalidInput, match=told):
        rig.compiled.score([(1.0, 2.0, 3), row])


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (prepared(KNeighborsClassifier()), "KNeighborsClassifier is not among the estimators"),
        (prepared(RandomForestClassifier(2), FunctionTransformer(np.nan_to_num)), "a function of its own"),
        (prepared(GradientBoostingClassifier(init=LogisticRegression(), n_estimators=2)), "first guess is made by LogisticRegression"),
        (make_pipeline(make_column_transformer((SimpleImputer(strategy="most_frequent"), ["port"])), OrdinalEncoder(), DecisionTreeClassifier()), "takes the text of 'port'"),
    ],
)  # fmt: skip
def test_what_is_not_compiled_says_why(tmp_path: Path, model: Any, told: str) -> None:
    with pytest.raises(CannotCompile, match=told):
        Rig(model.fit(TABLE, BINARY), NAMES, TYPES, ROWS[0], tmp_path)
