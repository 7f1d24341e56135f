"""Real replicas asked in every protocol over HTTP: a script behind a signature, and one without."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import pytest

INPUTS = [
    {"name": "age", "type": "integer", "nullable": True},
    {"name": "port", "type": "string"},
]
SCRIPT = """
    import json
    def run(data):
        rows = json.loads(data)
        if isinstance(rows, dict):
            return answer(rows)
        return [answer(row) for row in rows]
    def answer(row):
        if row["port"] == "raise": raise ValueError("no such port")
        return {"old": (row["age"] or 0) > 40, "text": row["port"], "score": (row["age"] or 0) / 8}
"""


@pytest.fixture(scope="module")
def replica(start: Callable[..., Any]) -> Any:
    return start(SCRIPT, inputs=INPUTS, version="w:3")


def infer(replica: Any, *tensors: dict[str, Any], path: str = "/v2/models/w/infer", **more: Any) -> Any:
    return replica.ask("POST", path, {"inputs": list(tensors)} | more)


AGES = {"name": "age", "datatype": "INT64", "shape": [2], "data": [50, None]}
PORTS = {"name": "port", "datatype": "BYTES", "shape": [2, 1], "data": [["S"], ["C"]]}


def test_a_script_answers_tensors(replica: Any) -> None:
    answer = infer(replica, AGES, PORTS, id="mine", path="/v2/models/w/versions/3/infer")
    assert answer.json == {
        "model_name": "w",
        "model_version": "3",
        "id": "mine",
        "outputs": [
            {"name": "old", "datatype": "BOOL", "shape": [2, 1], "data": [True, False]},
            {"name": "text", "datatype": "BYTES", "shape": [2, 1], "data": ["S", "C"]},
            {"name": "score", "datatype": "FP64", "shape": [2, 1], "data": [6.25, 0.0]},
        ],
    }


def test_tensors_go_both_ways_in_binary(replica: Any) -> None:
    ports = b"\1\0\0\0S\0\0\0\0"
    described = {
        "name": "port",
        "datatype": "BYTES",
        "shape": [2],
        "parameters": {"binary_data_size": len(ports)},
    }
    wanted = [{"name": "score", "parameters": {"binary_data": True}}]
    head = json.dumps({"inputs": [AGES, described], "outputs": wanted}).encode()
    told = {"Inference-Header-Content-Length": str(len(head)), "content-type": "application/octet-stream"}
    answer = replica.ask("POST", "/v2/models/w/infer", head + ports, told)
    length = int(answer.headers["inference-header-content-length"])
    assert json.loads(answer.body[:length])["outputs"][0]["name"] == "score"
    assert struct.unpack("<2d", answer.body[length:]) == (6.25, 0.0)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/w/ready", {"name": "w", "ready": True}),
        ("/v2/models/w/versions/3/ready", {"name": "w", "ready": True}),
    ],
)
def test_health_is_said_in_the_protocols_words(replica: Any, path: str, found: Any) -> None:
    answer = replica.ask("GET", path)
    assert (answer.status, answer.json) == (200, found)


def test_metadata_names_what_goes_in(replica: Any) -> None:
    assert replica.ask("GET", "/v2").json["extensions"] == ["binary_tensor_data"]
    model = replica.ask("GET", "/v2/models/w").json
    assert (model["versions"], model["inputs"][0]) == (
        ["3"], {"name": "age", "datatype": "INT64", "shape": [-1, 1]},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v2/models/x/infer", "There is no model 'x' here, expected 'w'."),
        ("/v2/models/w/versions/4/infer", "no version '4' here, expected version '3'"),
        ("/v2/repository/index", "only binary tensors are offered"),
        ("/v2/models/w/config", "only binary tensors are offered"),
    ],
)
def test_what_is_not_there_is_said_in_the_protocols_words(replica: Any, path: str, sentence: str) -> None:
    for answer in (replica.ask("GET", path), infer(replica, AGES, path=path)):
        assert answer.status == 404
        assert sentence in answer.json["error"]


def test_a_refusal_names_the_field_in_the_protocols_words(replica: Any) -> None:
    answer = infer(replica, AGES)
    assert (answer.status, answer.json) == (
        422, {"error": "The body: field 'port' is missing, expected a string."},
    )  # fmt: skip
    ages = AGES | {"data": [50, "x"]}
    assert "Row 1: field 'age' is \"x\" (string)" in infer(replica, ages, PORTS).json["error"]
    assert infer(replica, AGES, PORTS, outputs=[{"name": "new"}]).status == 422


def test_a_script_that_fails_is_explained_by_the_log_alone(replica: Any) -> None:
    answer = infer(replica, AGES, PORTS | {"data": ["S", "raise"]})
    assert answer.status == 500
    assert "no such port" not in answer.json["error"]
    events = {one["id"]: one for one in replica.events("score-failed")}
    assert "no such port" in events[answer.headers["x-request-id"]]["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["port", "age"], "data": [["S", 50], ["C", None]]}},
        {"dataframe_records": [{"age": 50, "port": "S"}, {"port": "C"}]},
        {"instances": [[50, "S"], [None, "C"]]},
        {"inputs": {"age": [50, None], "port": ["S", "C"]}},
        b"age,port\n50,S\n,C\n",
    ],
)
def test_mlflows_forms_are_answered(replica: Any, body: Any) -> None:
    kind = "text/csv; charset=utf-8" if isinstance(body, bytes) else "application/json"
    answer = replica.ask("POST", "/invocations", body, {"content-type": kind})
    assert answer.json["predictions"][0] == {"old": True, "text": "S", "score": 6.25}
    assert len(answer.json["predictions"]) == 2


def test_mlflows_errors_have_mlflows_shape(replica: Any) -> None:
    wrong = replica.ask("POST", "/invocations", {"inputs": {"age": [1]}})
    assert (wrong.status, wrong.json["error_code"]) == (422, "BAD_REQUEST")
    assert "field 'port' is missing" in wrong.json["message"]
    kind = replica.ask("POST", "/invocations", b"x", {"content-type": "application/parquet"})
    assert kind.status == 415
    assert replica.ask("GET", "/invocations").status == 405
    assert replica.ask("GET", "/ping").status == 200


def test_no_rows_are_answered_by_none(replica: Any) -> None:
    assert replica.ask("POST", "/invocations", {"inputs": []}).json == {"predictions": []}


def test_every_protocols_requests_are_counted(replica: Any) -> None:
    before = replica.metric("loopwright_requests_total")
    infer(replica, AGES, PORTS)
    replica.ask("POST", "/invocations", {"inputs": []})
    replica.ask("GET", "/v2")
    assert replica.metric("loopwright_requests_total") == before + 2


def test_the_description_and_the_page_are_there(replica: Any) -> None:
    document = replica.ask("GET", "/openapi.json", headers={"x-loopwright-prefix": "/prod/w"}).json
    assert document["servers"] == [{"url": "/prod/w"}]
    assert "/v2/models/w/infer" in document["paths"]
    page = replica.ask("GET", "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "content-security-policy" in page.headers
    assert replica.ask("GET", "/swagger.json").json["swagger"] == "2.0"


def test_bodies_that_are_too_large_are_refused_in_the_protocols_words(replica: Any) -> None:
    answer = replica.ask("POST", "/v2/models/w/infer", b" " * (10 * 1024 * 1024 + 1))
    assert answer.status == 413
    assert isinstance(answer.json["error"], str)


def test_a_script_without_a_signature_is_asked_by_score_alone(plain: Any) -> None:
    for path in ("/invocations", "/v2/models/w/infer"):
        body = {"inputs": [AGES]}
        assert plain.ask("POST", path, body).status == 404
