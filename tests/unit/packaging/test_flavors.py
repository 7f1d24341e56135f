"""What wrote a model is told from the file, and a model that is not there is told with what is."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from loopwright.errors import StepFailed
from loopwright.packaging.flavors import flavor_of, model_file


@pytest.mark.parametrize(
    ("name", "content", "flavor"),
    [
        ("model.joblib", b"x\x9c", "sklearn"),
        ("model.PKL", pickle.dumps(1), "sklearn"),
        ("model.onnx", b"\x08\x0a", "onnx"),
        ("model.txt", b"tree\nversion=v4\nnum_class=1\n", "lightgbm"),
        ("model.json", b'{"learner":{"attributes":{}}}', "xgboost"),
        ("model.ubj", b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", "xgboost"),
        ("booster.model", b"tree\nversion=v4\n", "lightgbm"),
        ("pipeline/MLmodel", b"flavors:\n", "mlflow"),
    ],
)
def test_the_flavor_is_found(tmp_path: Path, name: str, content: bytes, flavor: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    served = path.parent if name.endswith("MLmodel") else path
    assert flavor_of(served, name) == flavor


@pytest.mark.parametrize(
    ("name", "why"), [("model.bin", "its first bytes tell"), ("folder/x", "no file MLmodel")]
)
def test_what_cannot_be_told_must_be_said(tmp_path: Path, name: str, why: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"?")
    with pytest.raises(StepFailed, match=r"Say it with serving\.flavor, one of sklearn, xgboost") as caught:
        flavor_of(path.parent if "/" in name else path, name)
    assert why.removeprefix("no ") in caught.value.message
    assert caught.value.places[0].path == "serving.model"


def test_a_model_that_training_did_not_write_is_told_with_what_it_wrote(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/model.joblib").touch()
    with pytest.raises(
        StepFailed, match=r"it wrote models/model\.joblib\. Did you mean models/model\.joblib\?"
    ):
        model_file(tmp_path, "models/model.pkl")
    assert model_file(tmp_path, "models/model.joblib").is_file()
