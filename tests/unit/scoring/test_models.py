"""Model files of the libraries that people use, made here, loaded as a worker does, and asked beside the original."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx_models
import pandas as pd
import pytest
from onnx import TensorProto
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from loopwright.scoring import model_shim
from loopwright.scoring.model_shim import ModelError
from loopwright.scoring.models import forests, protobuf, tables

NAMES, TYPES = ["age", "port", "rich"], ["integer", "string", "boolean"]
ROWS = [(22, "S", True), (None, "C", False), (41, None, False), (63, "Q", True)] * 5
TABLE = pd.DataFrame(ROWS, columns=NAMES).astype({"age": float, "rich": bool})
TABLE["port"] = TABLE["port"].astype("str")
LABELS = {
    "integer": np.array([1, 0, 0, 1] * 5),
    "boolean": np.array([True, False, False, True] * 5),
    "string": np.array(["a", "b", "b", "c"] * 5),
}


def pipeline(final: Any) -> Any:
    """Gaps, strings and scales done as people do them."""
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
            (
                make_pipeline(
                    SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
                ),
                ["port"],
            ),
            ("passthrough", ["rich"]),
        ),
        final,
    )


def loaded(tmp_path: Path, model: Any, flavor: str = "sklearn") -> Any:
    joblib.dump(model, tmp_path / "model.joblib")
    return model_shim.load(str(tmp_path / "model.joblib"), flavor)


@pytest.mark.parametrize("kind", ["integer", "boolean"])
@pytest.mark.parametrize("final", [LogisticRegression(), RandomForestClassifier(5, n_jobs=-1)])
def test_a_binary_classifier_gives_its_label_and_the_probability_of_the_greater(
    tmp_path: Path, kind: str, final: Any
) -> None:
    model = pipeline(final).fit(TABLE, LABELS[kind])
    served = loaded(tmp_path, model)
    assert served.outputs == (("prediction", kind), ("probability", "number"))
    predictions, probabilities = served.score(ROWS, NAMES, TYPES)
    assert predictions == model.predict(TABLE).tolist()
    assert probabilities == model.predict_proba(TABLE)[:, 1].tolist()


def test_a_classifier_of_many_gives_an_object_of_probabilities(tmp_path: Path) -> None:
    model = pipeline(LogisticRegression()).fit(TABLE, LABELS["string"])
    served = loaded(tmp_path, model)
    assert served.outputs == (("prediction", "string"), ("probabilities", "object"))
    answer = [column[0] for column in served.score(ROWS[:1], NAMES, TYPES)]
    assert answer == [
        model.predict(TABLE)[0],
        dict(zip("abc", model.predict_proba(TABLE)[0].tolist(), strict=True)),
    ]


def test_one_without_probabilities_gives_labels_alone(tmp_path: Path) -> None:
    served = loaded(tmp_path, pipeline(LinearSVC()).fit(TABLE, LABELS["string"]))
    assert served.outputs == (("prediction", "string"),)
    assert set(served.score(ROWS, NAMES, TYPES)[0]) <= {"a", "b", "c"}


def test_columns_are_given_in_the_order_of_training_whatever_is_declared(tmp_path: Path) -> None:
    model = pipeline(LogisticRegression()).fit(TABLE, LABELS["integer"])
    served = loaded(tmp_path, model)
    turned = [(rich, 7, port, age) for age, port, rich in ROWS]
    answers = served.score(
        turned, ["rich", "more", "port", "age"], ["boolean", "integer", "string", "integer"]
    )
    assert answers == served.score(ROWS, NAMES, TYPES)


def test_a_model_of_arrays_takes_its_columns_by_place(tmp_path: Path) -> None:
    served = loaded(tmp_path, LinearRegression().fit([[1, 2], [3, 5], [4, 4]], [3.0, 8.0, 8.0]))
    assert served.outputs == (("prediction", "number"),)
    assert served.score([(1, 2.5)], ["p", "q"], ["integer", "number"])[0] == pytest.approx([3.5])
    with pytest.raises(ModelError, match="takes 2 inputs without names, found 1"):
        served.check(["p"], ["number"])


def test_clusters_are_integers(tmp_path: Path) -> None:
    served = loaded(tmp_path, KMeans(2, n_init=1).fit([[0.0], [9.0], [9.5]]))
    assert served.outputs == (("prediction", "integer"),)
    assert {type(one) for one in served.score([(0.1,), (9.1,)], ["x"], ["number"])[0]} == {int}


def test_inputs_that_are_not_the_models_are_named(tmp_path: Path) -> None:
    served = loaded(tmp_path, pipeline(LogisticRegression()).fit(TABLE, LABELS["integer"]))
    with pytest.raises(ModelError, match=r"takes 'port', 'rich', which the declared inputs \('age'\)"):
        served.check(["age"], ["integer"])


def test_what_is_no_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds a dict, expected an estimator with predict\(\)"):
        loaded(tmp_path, {"model": 1})
    with pytest.raises(ModelError, match="is not there"):
        model_shim.load(str(tmp_path / "none"), "sklearn")
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(1)[:-2])
    with pytest.raises(ModelError, match=r"bad\.pkl cannot be loaded as sklearn"):
        model_shim.load(str(tmp_path / "bad.pkl"), "sklearn")


def test_several_labels_at_once_are_refused(tmp_path: Path) -> None:
    many = RandomForestClassifier(2).fit([[0], [1]], [[0, 1], [1, 0]])
    with pytest.raises(ModelError, match="predicts 2 labels for each row"):
        loaded(tmp_path, many)


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(b"cabsent_library.trees\nTree\n.")
    with pytest.raises(ModelError, match=r"needs the module absent_library.*dependencies and lock"):
        model_shim.load(str(tmp_path / "m.pkl"), "sklearn")


@pytest.mark.filterwarnings("ignore::UserWarning")  # MLflow would like type hints
def test_mlflows_models_tell_probabilities_too(tmp_path: Path) -> None:
    import mlflow.sklearn

    model = LogisticRegression().fit(TABLE[["rich"]], LABELS["integer"])
    mlflow.sklearn.save_model(
        model, tmp_path / "m", pip_requirements=["scikit-learn"], serialization_format="cloudpickle"
    )
    served = model_shim.load(str(tmp_path / "m"), "mlflow")
    assert [name for name, _ in served.outputs] == ["prediction", "probability"]
    assert served.score([(True,)], ["rich"], ["boolean"])[1] == [model.predict_proba(TABLE[["rich"]])[0, 1]]


@pytest.mark.filterwarnings("ignore::UserWarning")  # MLflow would like type hints
def test_mlflows_own_functions_are_asked_by_pyfunc(tmp_path: Path) -> None:
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    (tmp_path / "code.py").write_text(
        "import mlflow\n"
        "class Doubled(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input, params=None):\n"
        "        return model_input.assign(twice=model_input['n'] * 2)[['twice']]\n"
        "mlflow.models.set_model(Doubled())\n"
    )
    signature = ModelSignature(Schema([ColSpec("integer", "n")]), Schema([ColSpec("integer", "twice")]))
    mlflow.pyfunc.save_model(
        tmp_path / "m",
        python_model=str(tmp_path / "code.py"),
        signature=signature,
        pip_requirements=["mlflow"],
    )
    served = model_shim.load(str(tmp_path / "m"), "mlflow")
    assert served.outputs == (("twice", "integer"),)
    assert served.score([("x", 4), ("y", 5)], ["name", "n"], ["string", "integer"]) == [[8, 10]]


def test_xgboost_and_lightgbm_files_know_their_categories(tmp_path: Path) -> None:
    import lightgbm
    import xgboost

    table = pd.concat([TABLE.assign(port=TABLE["port"].astype("category"))] * 10, ignore_index=True)
    labels, rows = list(LABELS["integer"]) * 10, ROWS * 10
    boosted = xgboost.XGBClassifier(n_estimators=3, enable_categorical=True).fit(table, labels)
    boosted.save_model(tmp_path / "x.json")
    light = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(table, labels)
    light.booster_.save_model(tmp_path / "l.txt")
    for model, file, flavor in ((boosted, "x.json", "xgboost"), (light, "l.txt", "lightgbm")):
        served = model_shim.load(str(tmp_path / file), flavor)
        predictions, probabilities = served.score(rows, NAMES, TYPES)
        assert predictions == model.predict(table).tolist()
        assert probabilities == pytest.approx(model.predict_proba(table)[:, 1].tolist())


def test_onnx_models_keep_their_labels(tmp_path: Path) -> None:
    import onnx
    from onnx import helper

    model = LogisticRegression().fit(np.array([[0.0], [1.0], [5.0]]), ["lo", "mid", "hi"])
    node = helper.make_node(
        "LinearClassifier", ["x"], ["label", "scores"], domain="ai.onnx.ml", multi_class=1,
        classlabels_strings=list(model.classes_), post_transform="SOFTMAX",
        coefficients=model.coef_.ravel().tolist(), intercepts=model.intercept_.tolist(),
    )  # fmt: skip
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])],
        [helper.make_tensor_value_info("label", TensorProto.STRING, [None]),
         helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, 3])],
    )  # fmt: skip
    sets = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(graph, opset_imports=sets, ir_version=9), str(tmp_path / "m.onnx"))
    served = model_shim.load(str(tmp_path / "m.onnx"), "onnx")
    assert served.outputs == (("prediction", "string"), ("probabilities", "object"))
    prediction, probabilities = served.score([(5.0,)], ["x"], ["number"])
    assert prediction == ["hi"]
    wanted = dict(zip(model.classes_, model.predict_proba([[5.0]])[0], strict=True))
    assert probabilities[0] == pytest.approx(wanted, abs=1e-6)
    with pytest.raises(ModelError, match="it is declared a string"):
        served.check(["x"], ["string"])


@pytest.mark.parametrize(
    ("kind", "row", "told"),
    [
        (TensorProto.INT64, (1, None), "Row 1: field 'b' is null, expected a value, since the model takes none that is missing."),
        (TensorProto.INT64, (1, 2.5), "Row 1: field 'b' is 2.5, expected a whole number"),
        (TensorProto.INT32, (2**31, 0), "Row 1: field 'a' is 2147483648, expected a whole number from -2147483648"),
    ],
)  # fmt: skip
def test_what_a_tensor_of_whole_numbers_cannot_hold_is_named(
    tmp_path: Path, kind: int, row: tuple[Any, ...], told: str
) -> None:
    served = model_shim.load(str(onnx_models.doubling(tmp_path / "m.onnx", kind, inputs=2)), "onnx")
    assert served.score([(1, 2), (3.0, 4)], ["a", "b"], ["number", "integer"]) == [[6, 14]]
    with pytest.raises(ModelError, match=f"^{re.escape(told)}"):
        served.score([(1, 2), row], ["a", "b"], ["integer", "number"])
    with pytest.raises(ModelError, match=r"input 'b' as tensor.* Say `missing: 0` of it"):
        served.check_missing(["a", "b"], ["b"])


def test_a_float_may_be_missing(tmp_path: Path) -> None:
    served = model_shim.load(str(onnx_models.doubling(tmp_path / "m.onnx", TensorProto.FLOAT)), "onnx")
    served.check_missing(["a"], ["a"])
    assert np.isnan(served.score([(None,)], ["a"], ["number"])[0][0])


def test_labels_are_read_from_the_wire_format(tmp_path: Path) -> None:
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    numbers = field(8, b"\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
    attribute = field(1, b"classlabels_int64s") + numbers
    other = field(1, b"post_transform") + field(4, b"NONE")
    graph = field(1, field(5, other) + field(5, attribute))
    (tmp_path / "m").write_bytes(b"\x08\x0a" + field(7, graph))
    assert protobuf.class_labels(str(tmp_path / "m")) == [3, -1]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ((1, 2), "integer", "int64"),
        ((1, None), "integer", "float64"),
        ((1, 2.5), "number", "float64"),
        ((True, False), "boolean", "bool"),
        ((True, None), "boolean", "object"),
        (("a", None), "string", "str"),
        ((None, None), "string", "str"),
    ],
)
def test_columns_are_typed_as_a_file_would_be_read(values: tuple[Any, ...], kind: str, expected: str) -> None:
    assert str(tables.column(values, kind).dtype) == expected


def test_the_way_in_needs_the_standard_library_alone(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = f"import sys, runpy; runpy.run_path({model_shim.__file__!r}); print('numpy' in sys.modules, 'loopwright' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["False", "False"]


def test_a_forest_asked_tree_by_tree_gives_the_same_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    table, labels = rng.normal(size=(300, 4)), rng.integers(0, 3, 300)
    forest = RandomForestClassifier(7, random_state=0).fit(table, labels)
    served = forests.Forest(forest)
    for part in (table[:1], table[:9], table):
        assert (served.predict_proba(part) == forest.predict_proba(part)).all()
    assert served._equal


def test_a_forest_that_adds_up_otherwise_is_asked_as_usual() -> None:
    class Other(RandomForestClassifier):  # type: ignore[misc]
        def predict_proba(self, table: Any) -> Any:
            return super().predict_proba(table) / 2

    forest = Other(3, random_state=0).fit([[0.0], [1.0]], [0, 1])
    served = forests.Forest(forest)
    for _ in range(2):
        assert served.predict_proba([[1.0]]).sum() == pytest.approx(0.5)
