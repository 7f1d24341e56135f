"""The package step with a model: compiled in the user's interpreter, compared, and answered by the front alone."""

import csv
import importlib
import json
import os
import random
import sys
from pathlib import Path

import joblib
import msgspec
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from loopwright import pins
from loopwright.errors import StepFailed
from loopwright.observations import bins
from loopwright.packaging import verify
from loopwright.packaging.compiling import Data, compiled_form
from loopwright.packaging.job import work
from loopwright.scoring import Input, ModelFile

COLUMNS = [
    {"name": "age", "type": "number", "nullable": False},
    {"name": "fare", "type": "number", "nullable": False},
]
OTHERWISE = """
def predict_proba(rows):
    import numpy
    return numpy.array([[0.25, 0.75]] * len(rows))
"""


def data(path):
    chance = random.Random(1)
    rows = [[round(chance.uniform(0, 80), 1), round(chance.uniform(0, 90), 2)] for _ in range(200)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["age", "fare", "y"], *([*row, int(row[0] < row[1])] for row in rows)])
    return rows, [int(row[0] < row[1]) for row in rows]


@pytest.fixture
def told(tmp_path):
    for folder in ("model", "code"):
        (tmp_path / folder).mkdir()
    there = pins.installed(Path(sys.prefix))
    (tmp_path / "lock").write_text("".join(f"{name}=={version}\n" for name, version in there.items()))
    baseline = bins.make({"age": [1.0, 2.0], "y": [0, 1]}, {"age": "numbers", "y": "categories"}, "y")
    (tmp_path / "baseline.json").write_bytes(bins.encode(baseline))
    data(tmp_path / "rows.csv")
    return {
        "workload": "titanic",
        "served": "m.joblib",
        "python_version": "3.11",
        "columns": COLUMNS,
        "example": {"age": 20.0, "fare": 60.0},
        "label": "y",
        "run": "run-1",
        "data_version": "abc",
        "python": sys.executable,
        **{name: str(tmp_path / name) for name in ("model", "code", "lock")},
        "baseline": str(tmp_path / "baseline.json"),
        **dict.fromkeys(("train", "test"), str(tmp_path / "rows.csv")),
    }


def packaged(told, tmp_path, model):
    joblib.dump(model, tmp_path / "model/m.joblib")
    (tmp_path / "outputs").mkdir()
    return work(told, tmp_path / "outputs"), tmp_path / "outputs/package"


def test_a_model_is_compiled_compared_and_answers_without_its_environment(told, tmp_path):
    rows, labels = data(tmp_path / "rows.csv")
    output, package = packaged(told, tmp_path, RandomForestClassifier(15, random_state=0).fit(rows, labels))
    assert output["compiled"]
    assert output["compilation"]["held_out_rows"] == 200
    assert output["compilation"]["generated_rows"] >= 10_000
    assert output["compilation"]["worst_difference"] == {"probability": 0.0}
    assert json.loads((package / "compiled/report.json").read_bytes()) == output["compilation"]
    assert output["example"]["response"]["prediction"] == 1
    assert verify(package).compiled
    assert {path.stat().st_mode & 0o777 for path in (package / "compiled").iterdir()} == {0o444}


def compiled(tmp_path, model, wish):
    """What comes of compiling a model that was trained on the two columns."""
    package = tmp_path / "package"
    for folder in ("model", "code"):
        (package / folder).mkdir(parents=True)
    (package / "code/otherwise.py").write_text(OTHERWISE)
    joblib.dump(model, package / "model/m.joblib")
    inputs = msgspec.convert(COLUMNS, tuple[Input, ...])
    rows = str(tmp_path / "rows.csv")
    served = ModelFile(path="m.joblib", flavor="sklearn")
    made = compiled_form(
        wish, package, served, sys.executable, inputs, {"age": 20.0, "fare": 60.0}, Data(rows, rows)
    )
    assert (package / "compiled").exists() == (made.outputs is not None)
    return made


def test_a_model_that_no_plan_can_say_is_served_as_it_is_and_the_package_says_why(tmp_path):
    model = KNeighborsClassifier().fit(*data(tmp_path / "rows.csv"))
    assert compiled(tmp_path, model, "auto").reason.startswith("KNeighborsClassifier is not among")


def test_a_form_that_answers_otherwise_is_not_kept(tmp_path, monkeypatch):
    (tmp_path / "otherwise.py").write_text(OTHERWISE)
    monkeypatch.syspath_prepend(tmp_path)
    model = RandomForestClassifier(3, random_state=0).fit(*data(tmp_path / "rows.csv"))
    model.predict_proba = importlib.import_module("otherwise").predict_proba
    with pytest.raises(
        StepFailed, match=r"cannot be compiled: .* rows; the row .* of the original"
    ) as caught:
        compiled(tmp_path, model, "required")
    assert caught.value.places[0].path == "packaging.compile"


def test_never_is_never(tmp_path):
    model = LogisticRegression().fit(*data(tmp_path / "rows.csv"))
    assert compiled(tmp_path, model, "never").reason == "packaging.compile is never"


def test_a_model_that_ends_its_interpreter_is_not_compiled(tmp_path):
    data(tmp_path / "rows.csv")
    assert "ended with status 9" in compiled(tmp_path, Ending(), "auto").reason


class Ending:
    """Ends whoever unpickles it."""

    def __reduce__(self):
        return os._exit, (9,)
