"""No body, of whatever bytes, is answered by a failure, by invalid JSON, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

INPUTS = [
    {"name": "age", "type": "integer", "nullable": True},
    {"name": "fare", "type": "number"},
    {"name": "port", "type": "string"},
    {"name": "alone", "type": "boolean", "nullable": True},
]
SCRIPT = "import json\ndef run(data):\n    return json.loads(data)\n"
PATHS = ("/score", "/invocations", "/v2/models/w/infer", "/v2/models/w/versions/3/infer", "/feedback")
KINDS = (
    "application/json",
    "text/csv",
    "application/octet-stream",
    "text/plain; charset=utf-8",
    "x/y",
    "",
    ";",
)

_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.just(2**63)
    | st.just(1e400)
)
_names = st.sampled_from(
    ["age", "fare", "port", "alone", "data", "columns", "inputs", "instances", "dataframe_split", "dataframe_records",
     "name", "shape", "datatype", "parameters", "outputs", "id", "params", "index", "binary_data_size", "labels"]
)  # fmt: skip
_values = st.recursive(
    _scalars | st.sampled_from(["INT64", "FP32", "BYTES", "BOOL", "FP16"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=6),
    max_leaves=12,
)
_tensors = st.fixed_dictionaries(
    {
        "name": _names,
        "datatype": st.sampled_from(["INT64", "FP32", "BYTES", "BOOL", "UINT8", "?"]),
        "shape": st.lists(st.integers(-1, 3), max_size=3) | _values,
    },
    optional={
        "data": st.lists(_scalars, max_size=3) | _values,
        "parameters": st.dictionaries(_names, _values),
    },
)
_requests = st.fixed_dictionaries(
    {"inputs": st.lists(_tensors, max_size=4)}, optional={"outputs": _values, "id": _values}
)
_tables = st.fixed_dictionaries(
    {
        "columns": st.lists(_names, max_size=3) | _values,
        "data": st.lists(st.lists(_scalars, max_size=3)) | _values,
    }
)
_frames = st.one_of(
    st.fixed_dictionaries({"dataframe_split": _tables | _values}),
    st.fixed_dictionaries({"dataframe_records": _values}),
    st.fixed_dictionaries(
        {"inputs": st.dictionaries(_names, st.lists(_scalars, max_size=3) | _values) | _values}
    ),
    st.fixed_dictionaries(
        {"instances": st.lists(st.lists(_scalars, max_size=4)) | _values}, optional={"params": _values}
    ),
)


def as_json(values: st.SearchStrategy[Any], *paths: str) -> st.SearchStrategy[Any]:
    bodies = values.map(lambda value: json.dumps(value).encode())
    return st.tuples(st.sampled_from(paths), bodies, st.just("application/json"), st.none())


_asked = st.one_of(
    st.tuples(
        st.sampled_from(PATHS),
        st.binary(max_size=80),
        st.sampled_from(KINDS),
        st.none() | st.integers(-2, 90),
    ),
    st.tuples(
        st.sampled_from(PATHS[:2]),
        st.text(max_size=60).map(lambda text: f"age,fare,port\n{text}".encode(errors="replace")),
        st.just("text/csv"),
        st.none(),
    ),
    as_json(_values | _tables, "/score", "/feedback"),
    as_json(_frames, "/invocations"),
    as_json(_requests, "/v2/models/w/infer", "/v2/models/w/versions/3/infer"),
)


@pytest.fixture(scope="module")
def connection(start: Callable[..., Any]) -> Iterator[Any]:
    replica = start(SCRIPT, inputs=INPUTS, version="w:3")
    made = replica.connect()
    yield made
    made.close()
    assert "request-failed" not in replica.log()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_asked)
def test_every_body_is_answered_and_none_by_a_failure(connection: Any, asked: Any) -> None:
    path, body, kind, length = asked
    headers = {"content-type": kind}
    headers |= {} if length is None else {"inference-header-content-length": str(length)}
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status < 500 or (path, answer.status) == ("/feedback", 503), content
    if answer.status != 200:
        assert json.loads(content, parse_constant=pytest.fail)
