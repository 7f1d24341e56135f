"""What a model answers with is asked of itself, in the interpreter that it will be served by."""

from __future__ import annotations

import sys
from pathlib import Path

import joblib
import onnx_models
import pytest
from sklearn.linear_model import LogisticRegression

from loopwright.errors import StepFailed
from loopwright.packaging import describing
from loopwright.scoring import Input, ModelFile, Output

INPUTS = (Input(name="age", type="number"), Input(name="fare", type="number"))
EXAMPLE = {"age": 3.0, "fare": 7.5}


def described(
    package: Path, flavor: str = "sklearn", inputs: tuple[Input, ...] = INPUTS
) -> tuple[Output, ...]:
    model = ModelFile(path="model.joblib", flavor=flavor)  # type: ignore[arg-type]
    return describing.outputs(package, model, sys.executable, inputs, EXAMPLE)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    fitted = LogisticRegression().fit([[1.0, 2.0], [3.0, 1.0], [4.0, 9.0]], [0, 1, 1])
    joblib.dump(fitted, tmp_path / "model/model.joblib")
    return tmp_path


def test_a_classifier_of_two_labels_answers_with_label_and_probability(package: Path) -> None:
    outputs = described(package)
    assert [(one.name, one.type) for one in outputs] == [("prediction", "integer"), ("probability", "number")]


@pytest.mark.parametrize(
    ("flavor", "inputs", "told"),
    [
        ("onnx", INPUTS, r"^The model model\.joblib "),
        ("xgboost", INPUTS, r"^The model model\.joblib was not made by xgboost, as serving\.flavor says"),
        ("sklearn", INPUTS[:1], "takes 2 inputs without names, found 1"),
    ],
)
def test_a_model_that_is_another_is_refused_by_name(
    package: Path, flavor: str, inputs: tuple[Input, ...], told: str
) -> None:
    with pytest.raises(StepFailed, match=told) as caught:
        described(package, flavor, inputs)
    assert caught.value.places[0].path == "serving.model"


def test_a_model_that_can_never_take_what_the_schema_allows_is_refused(package: Path) -> None:
    onnx_models.doubling(package / "model/model.joblib")
    whole = Input(name="age", type="integer")
    assert [one.type for one in described(package, "onnx", (whole,))] == ["integer"]
    with pytest.raises(
        StepFailed, match=r"^The model takes the input 'age' as tensor\(int64\), which holds no missing value"
    ):
        described(package, "onnx", (Input(name="age", type="integer", nullable=True),))


def test_a_model_that_ends_its_interpreter_is_told(package: Path) -> None:
    (package / "model/model.joblib").write_bytes(b"cos\n_exit\n(I9\ntR.")
    with pytest.raises(StepFailed, match="its interpreter ended with status 9"):
        described(package)
