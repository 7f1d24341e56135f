"""Scripts written for Azure ML's inference server, unmodified, in an environment that has none of Azure's packages."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_RAW = """
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse

@rawhttp
def run(request):
    what = request.args.get("do")
    if what == "bytes":
        return AMLResponse(request.get_data()[::-1], 201, {"Content-Type": "image/jpeg", "X-More": "a, b"})
    if what == "json":
        return AMLResponse({"n": request.get_json()["n"]}, 200, json_str=True)
    if what == "broken":
        return AMLResponse("bad thing", 500)
    if what == "file":
        file = request.files["image"]
        return {"name": file.filename, "bytes": len(file.read()), "kind": file.content_type, "who": request.form["who"]}
    return {"method": request.method, "path": request.path, "header": request.headers.get("X-Custom"),
            "json": request.is_json, "text": request.get_data(as_text=True)}
"""

_TYPED = """
import numpy as np
import pandas as pd
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

@input_schema("data", PandasParameterType(pd.DataFrame({"a": [1], "s": ["x"]})))
@input_schema("weights", NumpyParameterType(np.array([[1.0, 2.0]])))
@input_schema("more", StandardPythonParameterType({"k": 1}))
@output_schema(StandardPythonParameterType({"total": 1.0}))
def run(data, weights, more={"k": 3}):
    if more["k"] == 99:
        raise ValueError("the script's own")
    return {"total": float(data["a"].sum() + weights.sum() + more["k"]), "of": [type(data).__name__, type(weights).__name__]}
"""

_HEADERS = """
def run(data, request_headers):
    return {"data": data, "custom": request_headers.get("X-Custom")}
"""

_JSON = {"content-type": "application/json"}
_FORM = (
    b'--XX\r\nContent-Disposition: form-data; name="who"\r\n\r\nme\r\n--XX\r\nContent-Disposition: form-data; '
    b'name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n\x00\r\n\x01\xff\r\n--XX--\r\n'
)


@pytest.fixture(scope="session")
def raw(start: Callable[..., Any]) -> Any:
    return start(_RAW, cors=["https://a.example"])


@pytest.fixture(scope="session")
def typed(start: Callable[..., Any]) -> Any:
    return start(_TYPED)


def test_a_raw_script_answers_with_status_headers_and_bytes(raw: Any) -> None:
    connection = raw.connect()
    connection.request("POST", "/score?do=bytes", b"abc")
    response = connection.getresponse()
    assert (response.status, response.read()) == (201, b"cba")
    assert response.headers.get_all("x-more") == ["a", "b"]
    assert response.headers.get_all("content-type") == ["image/jpeg"]
    assert len(response.headers.get_all("x-request-id") or []) == 1
    connection.close()


def test_a_raw_script_sees_the_request(raw: Any) -> None:
    answer = raw.ask("GET", "/score?q=1", None, {"X-Custom": "v", "x-loopwright-role": "live"})
    assert answer.json == {"method": "GET", "path": "/score", "header": "v", "json": False, "text": ""}
    assert raw.ask("POST", "/score?do=json", {"n": 3}, _JSON).json == {"n": 3}


def test_a_raw_script_reads_uploads(raw: Any) -> None:
    answer = raw.ask("POST", "/score?do=file", _FORM, {"content-type": "multipart/form-data; boundary=XX"})
    assert answer.json == {"name": "a.png", "bytes": 5, "kind": "image/png", "who": "me"}


def test_a_response_of_its_own_that_failed_is_marked(raw: Any) -> None:
    answer = raw.ask("POST", "/score?do=broken", b"")
    assert (answer.status, answer.body) == (500, b"bad thing")
    assert answer.headers["x-ms-run-function-failed"] == "True"
    assert raw.ask("POST", "/score?do=json", b"none", _JSON).status == 400


def test_arguments_are_what_their_samples_are(typed: Any) -> None:
    body = {"data": [{"a": 1, "s": "y"}], "weights": [[1, 2]], "more": {"k": 2}}
    assert typed.ask("POST", "/score", body, _JSON).json == {"total": 6.0, "of": ["DataFrame", "ndarray"]}
    without = {"data": [{"a": 1, "s": "y"}], "weights": [[1, 2]]}
    assert typed.ask("POST", "/score", without, _JSON).json["total"] == 7.0


@pytest.mark.parametrize(
    ("body", "kind", "status", "told"),
    [
        ({"data": []}, "application/json", 400, "A value is not provided for the 'weights' parameter."),
        ([1], "application/json", 400, "POST body should be a JSON dictionary."),
        (b"", "application/json", 400, "POST body is empty."),
        (b"nope", "application/json", 400, "could not be decoded as JSON"),
        ({}, "text/plain", 415, "Expects Content-Type to be application/json"),
        (
            {"data": [{"a": 1, "s": "y"}], "weights": [[1, 2, 3]]},
            "application/json",
            400,
            "size 3 on dimension #1",
        ),
        ({"data": 5, "weights": [[1, 2]]}, "application/json", 400, "into Pandas Dataframe"),
    ],
)
def test_what_a_typed_script_cannot_take_is_said_to_the_client(
    typed: Any, body: Any, kind: str, status: int, told: str
) -> None:
    answer = typed.ask("POST", "/score", body, {"content-type": kind})
    assert answer.status == status
    assert told in answer.json["message"]
    assert answer.headers["x-ms-run-function-failed"] == "False"


def test_a_script_that_raises_is_500_with_azures_message_and_our_id(typed: Any) -> None:
    body = {"data": [{"a": 1, "s": "y"}], "weights": [[1, 2]], "more": {"k": 99}}
    answer = typed.ask("POST", "/score", body, _JSON)
    assert answer.status == 500
    assert "message" in answer.json
    assert answer.error["id"] == answer.headers["x-request-id"]
    assert answer.headers["x-ms-run-function-failed"] == "True"
    assert b"own" not in answer.body


def test_parameters_of_the_url_are_read_as_json(typed: Any, plain: Any) -> None:
    query = "data=%5B%7B%22a%22:1,%22s%22:%22z%22%7D%5D&weights=%5B%5B1,2%5D%5D"
    assert typed.ask("GET", f"/score?{query}").json["total"] == 7.0
    got = plain.ask("GET", "/score?a=1&b=%5B1,2%5D&c=x&c=y").json["got"]
    assert json.loads(got) == {"a": 1, "b": [1, 2], "c": ["x", "y"]}
    assert json.loads(plain.ask("GET", f"/score?a={'%5B' * 3000}").json["got"]) == {"a": "[" * 3000}


def test_a_script_with_one_argument_is_sent_rows_as_others_are(start: Callable[..., Any]) -> None:
    script = """
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.schema_decorators import input_schema
import pandas as pd

@input_schema("data", PandasParameterType(pd.DataFrame({"n": [1]})))
def run(data):
    return (data["n"] * 2).to_numpy()
"""
    replica = start(script, inputs=[{"name": "n", "type": "integer"}])
    assert replica.ask("POST", "/score", {"n": 4}, _JSON).json == 8
    assert replica.ask("POST", "/score", [{"n": 4}, {"n": 5}], _JSON).json == [8, 10]
    assert replica.ask("POST", "/score", {"data": [{"n": 4}]}, _JSON).json == [8]
    assert replica.ask("POST", "/score", {"wrong": 4}, _JSON).status == 400

    def package(folder: Path) -> None:
        (folder / "signature.json").write_text('{"example": {"request": {"n": 1}}}')

    unchecked = start(script, prepare=package)  # as evaluation asks, which lets a script judge for itself
    assert unchecked.ask("POST", "/score", {"n": 4}, _JSON).json == 8
    assert unchecked.ask("POST", "/score", {"wrong": 4}, _JSON).status == 400


def test_a_script_may_ask_for_the_headers(start: Callable[..., Any]) -> None:
    replica = start(_HEADERS)
    answer = replica.ask("POST", "/score", b"{}", {"x-custom": "v"})
    assert answer.json == {"data": "{}", "custom": "v"}


def test_ids_of_the_client_come_back(plain: Any) -> None:
    headers = plain.ask("POST", "/score", {}, {"x-ms-client-request-id": "mine"}).headers
    assert headers["x-ms-request-id"] == headers["x-ms-client-request-id"] == "mine"
    assert float(headers["x-ms-run-fn-exec-ms"]) >= 0
    assert plain.ask("POST", "/score", {}, {"x-request-id": "x" * 101}).status == 431
    behind = {"x-request-id": "the gateway's", "x-loopwright-request-id": "the client's"}
    assert plain.ask("POST", "/score", {}, behind).headers["x-ms-request-id"] == "the client's"


def test_health_options_and_what_there_is_not(plain: Any) -> None:
    assert plain.ask("GET", "/").body == b"Healthy"
    assert (plain.ask("OPTIONS", "/score").status, plain.ask("OPTIONS", "/score").body) == (200, b"")


def test_pages_of_named_origins_may_ask(raw: Any, plain: Any) -> None:
    asked = {"origin": "https://a.example", "access-control-request-method": "POST",
             "access-control-request-headers": "authorization"}  # fmt: skip
    preflight = raw.ask("OPTIONS", "/score", None, asked)
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == "https://a.example"
    assert preflight.headers["access-control-allow-headers"] == "authorization"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    answer = raw.ask("POST", "/score", b"", {"origin": "https://a.example"})
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert (
        "access-control-allow-origin"
        not in raw.ask("POST", "/score", b"", {"origin": "https://b.example"}).headers
    )
    assert "access-control-allow-origin" not in plain.ask("POST", "/score", {}, asked).headers


def test_a_script_that_wants_both_ways_does_not_come_up(start: Callable[..., Any]) -> None:
    replica = start(_TYPED.replace("@input_schema(\"data\"", "@rawhttp\n@input_schema(\"data\"").replace(
        "import numpy", "from azureml.contrib.services.aml_request import rawhttp\nimport numpy", 1), ready=False)  # fmt: skip
    assert replica.process.wait(60) == 3
    assert "cannot be decorated with both @rawhttp and @input_schema" in replica.log()


def test_the_description_has_the_scripts_own_schema_in_each_version(typed: Any, plain: Any) -> None:
    told = typed.ask("GET", "/swagger.json").json
    assert told["swagger"] == "2.0"
    assert told["definitions"]["ServiceInput"]["example"]["data"] == [{"a": 1, "s": "x"}]
    third = typed.ask("GET", "/swagger.json?version=3").json
    assert third["openapi"].startswith("3.0")
    schemas = third["components"]["schemas"]
    assert schemas["ServiceOutput"]["properties"]["total"] == {"type": "number", "format": "double"}
    asked = third["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert asked == {"$ref": "#/components/schemas/ServiceInput"}
    assert typed.ask("GET", "/swagger.json?version=3.1").json["openapi"] == "3.1.0"
    wrong = typed.ask("GET", "/swagger.json?version=9")
    assert (wrong.status, "not valid" in wrong.json["message"]) == (404, True)
    assert plain.ask("GET", "/swagger.json").json["swagger"] == "2.0"


def test_a_head_keeps_its_connection(raw: Any) -> None:
    connection: http.client.HTTPConnection = raw.connect()
    for _ in range(2):
        connection.request("POST", "/score?do=bytes", b"ab")
        assert connection.getresponse().read() == b"ba"
    connection.close()
