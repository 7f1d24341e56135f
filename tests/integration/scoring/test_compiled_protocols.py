"""A compiled model of three classes in the front, asked in every protocol: no worker and no script."""

from __future__ import annotations

import json
import math
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PLAN = {
    "inputs": ["age", "fare"],
    "outputs": [{"name": "prediction", "type": "string"}, {"name": "probabilities", "type": "object"}],
    "width": 2,
    "blocks": [
        {"type": "numbers", "inputs": [0, 1], "at": [0, 1], "steps": [{"op": "fill", "values": [30.0, 10.0]}]}
    ],
    "head": {
        "type": "linear", "coefficients": [[0.1, 0.0], [0.0, 0.1], [0.0, 0.0]], "intercepts": [0.0, 0.0, 0.0],
    },
    "decision": {"link": "softmax", "rule": "most", "classes": ["a", "b", "c"], "names": ["a", "b", "c"]},
}  # fmt: skip
INPUTS = [{"name": name, "type": "number", "nullable": True} for name in ("age", "fare")]


def package(folder: Path) -> None:
    (folder / "compiled").mkdir()
    (folder / "compiled" / "plan.json").write_text(json.dumps(PLAN))
    shutil.rmtree(folder / "code")


@pytest.fixture(scope="module")
def replica(start: Callable[..., Any]) -> Any:
    return start(
        "", prepare=package, entry="", compiled=True, model={"path": "m.joblib", "flavor": "sklearn"}, python="",
        inputs=INPUTS, outputs=PLAN["outputs"], version="w:3",
    )  # fmt: skip


def softmax(*scores: float) -> list[float]:
    powers = [math.exp(score) for score in scores]
    return [power / sum(powers) for power in powers]


def infer(replica: Any, *tensors: dict[str, Any], **more: Any) -> Any:
    return replica.ask("POST", "/v2/models/w/infer", {"inputs": list(tensors)} | more)


def test_the_probabilities_of_classes_are_one_named_table(replica: Any) -> None:
    joined = {"name": "x", "datatype": "FP64", "shape": [2, 2], "data": [[10.0, 0.0], [0.0, 20.0]]}
    prediction, probabilities = infer(replica, joined).json["outputs"]
    assert (prediction["datatype"], prediction["data"]) == ("BYTES", ["a", "b"])
    assert (probabilities["shape"], probabilities["parameters"]) == ([2, 3], {"labels": '["a","b","c"]'})
    assert probabilities["data"] == pytest.approx([*softmax(1, 0, 0), *softmax(0, 2, 0)])


def test_missing_numbers_are_nan_or_no_tensor_at_all(replica: Any) -> None:
    raw = struct.pack("<2f", math.nan, 10.0)
    one = {"name": "age", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [one], "outputs": [{"name": "probabilities"}]}).encode()
    told = {"inference-header-content-length": str(len(head))}
    [found] = replica.ask("POST", "/v2/models/w/infer", head + raw, told).json["outputs"]
    assert found["data"] == pytest.approx([*softmax(3, 1, 0), *softmax(1, 1, 0)])


def test_metadata_is_that_of_the_declared_outputs(replica: Any) -> None:
    model = replica.ask("GET", "/v2/models/w").json
    assert model["platform"] == "sklearn"
    assert model["outputs"] == [
        {"name": "prediction", "datatype": "BYTES", "shape": [-1, 1]},
        {"name": "probabilities", "datatype": "FP64", "shape": [-1, -1]},
    ]


def test_mlflow_gets_an_object_for_each_row(replica: Any) -> None:
    body = {"dataframe_split": {"columns": ["fare", "age"], "data": [[0.0, 10.0]]}}
    [row] = replica.ask("POST", "/invocations", body).json["predictions"]
    assert row["prediction"] == "a"
    assert list(row["probabilities"].values()) == pytest.approx(softmax(1, 0, 0))
    assert replica.ask("POST", "/invocations", {"instances": []}).json == {"predictions": []}


def test_no_rows_have_empty_tensors(replica: Any) -> None:
    none = {"name": "age", "datatype": "FP64", "shape": [0], "data": []}
    prediction, probabilities = infer(replica, none).json["outputs"]
    assert (prediction["shape"], prediction["data"]) == ([0, 1], [])
    assert (probabilities["datatype"], probabilities["data"]) == ("FP64", [])


def test_an_output_that_is_not_there_is_refused_before_the_model_is_asked(replica: Any) -> None:
    one = {"name": "age", "datatype": "FP64", "shape": [1], "data": [1.0]}
    answer = infer(replica, one, outputs=[{"name": "score"}])
    assert (answer.status, "expected one of prediction, probabilities" in answer.json["error"]) == (422, True)


def test_the_description_has_the_answers_shape(replica: Any) -> None:
    schemas = replica.ask("GET", "/openapi.json").json["components"]["schemas"]
    assert schemas["Answer"]["required"] == ["prediction", "probabilities"]
