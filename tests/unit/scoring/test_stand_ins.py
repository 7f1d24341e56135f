"""What scripts import of Azure's packages, where those are absent; side by side with inference-schema where it is there."""

from __future__ import annotations

import datetime as dt
import importlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from loopwright.scoring.hosted import stand_in_schema as schema
from loopwright.scoring.hosted import stand_in_types as types
from loopwright.scoring.hosted import stand_ins
from loopwright.scoring.hosted.batches import batch_function
from loopwright.scoring.hosted.parts import Config, Refused
from loopwright.scoring.hosted.stand_in_http import AMLRequest, AMLResponse

_FRAME = pd.DataFrame({"a": [1, 2], "t": pd.to_datetime(["2024-01-02", "2024-02-03"]), "s": ["x", "y"]})


@pytest.fixture
def found() -> Iterator[None]:
    """The stand-ins can be imported."""
    before = set(sys.modules)
    stand_ins.stand_in()
    yield
    sys.meta_path[:] = [one for one in sys.meta_path if type(one).__module__ != stand_ins.__name__]
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("azureml", "inference_schema", "loopwright_serving"):
            del sys.modules[name]


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize("name", stand_ins.names())
def test_every_module_is_found(name: str) -> None:
    assert importlib.import_module(name).__name__ == name


@pytest.mark.usefixtures("found")
def test_only_what_is_absent_is_stood_in_for() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("azureml.core")
    assert importlib.import_module("json").__file__


@pytest.mark.parametrize(
    ("sample", "value", "expected"),
    [
        (types.StandardPythonParameterType(1), 5, 5),
        (types.StandardPythonParameterType(0.5), 5, 5),
        (types.StandardPythonParameterType(b"x"), "YWI=", b"ab"),
        (types.StandardPythonParameterType(dt.date(2024, 1, 2)), "2023-05-06", dt.date(2023, 5, 6)),
        (types.StandardPythonParameterType(dt.datetime(2024, 1, 2, tzinfo=dt.UTC)), "2023-05-06T07:08:09Z",
         dt.datetime(2023, 5, 6, 7, 8, 9, tzinfo=dt.UTC)),
        (types.NumpyParameterType(np.array([[1.0, 2.0]])), [[3, 4], [5, 6]], [[3.0, 4.0], [5.0, 6.0]]),
        (types.NumpyParameterType(np.array(["2024-01-02"], "M8[D]")), ["2024-05-06"], [dt.date(2024, 5, 6)]),
        (types.NumpyParameterType(np.array([(1, "x")], [("n", "i4"), ("s", "U1")])), [{"n": 2, "s": "y"}], [(2, "y")]),
    ],
)  # fmt: skip
def test_json_becomes_what_the_sample_is(sample: Any, value: Any, expected: Any) -> None:
    made = schema._converted(value, sample)
    assert (made.tolist() if isinstance(made, np.ndarray) else made) == expected


def test_json_becomes_a_data_frame_of_the_samples_types() -> None:
    made = types.PandasParameterType(_FRAME).deserialize_input([{"a": 1.0, "t": "2024-05-06", "s": "z"}])
    assert made.dtypes.to_dict() == _FRAME.dtypes.to_dict()
    nested = types.StandardPythonParameterType({"in": types.PandasParameterType(_FRAME[["a"]]), "k": 1})
    assert schema._converted({"in": [{"a": 3}], "k": 2}, nested)["in"]["a"].tolist() == [3]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (types.StandardPythonParameterType(1), "x"),
        (types.StandardPythonParameterType({"a": 1}), [1]),
        (types.NumpyParameterType(np.array([[1.0, 2.0]])), [[1.0]]),
        (types.NumpyParameterType(np.array([[1.0, 2.0]])), [1.0]),
        (types.NumpyParameterType(np.array([1.0])), "x"),
        (types.PandasParameterType(_FRAME), [{"a": 1}]),
        (types.PandasParameterType(_FRAME), 5),
    ],
)
def test_what_is_not_like_the_sample_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises((ValueError, KeyError)):
        schema._converted(value, kind)


def test_schemas_tell_types_and_examples() -> None:
    @schema.input_schema("data", types.PandasParameterType(_FRAME[["a", "s"]]))
    @schema.input_schema("n", types.StandardPythonParameterType(3))
    @schema.output_schema(types.NumpyParameterType(np.array([1.5])))
    def run(data: Any, n: int, more: str = "") -> Any:
        return [type(data).__name__, n, more]

    assert schema.is_schema_decorated(run)
    told = schema.get_input_schema(run)
    assert told["example"] == {"data": [{"a": 1, "s": "x"}, {"a": 2, "s": "y"}], "n": 3, "more": ""}
    assert told["properties"]["n"] == {"type": "integer", "format": "int64"}
    assert told["properties"]["data"]["items"]["properties"]["s"] == {"type": "string"}
    assert schema.get_output_schema(run)["items"] == {"type": "number", "format": "double"}
    assert schema.get_supported_versions(run) == ["2.0", "3.0", "3.1"]
    assert run([{"a": 1, "s": "x"}], 2, more="m") == ["DataFrame", 2, "m"]
    assert run(data=[{"a": 1, "s": "x"}], n=2) == ["DataFrame", 2, ""]


def test_a_mixed_list_needs_the_third_version() -> None:
    assert types.StandardPythonParameterType([1, "x"]).supported_versions() == ["3.0", "3.1"]


def _request(body: bytes = b"", query: str = "", **headers: str) -> AMLRequest:
    class Given:
        method, path = "POST", "/score"

    given: Any = Given()
    given.query, given.body = query, body
    given.headers = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return AMLRequest(given)


def test_a_request_reads_as_flasks_does() -> None:
    request = _request(
        b"a=1&a=2&b=x", "q=7&q=8", content_type="application/x-www-form-urlencoded", cookie="k=v"
    )
    assert (request.form.getlist("a"), request.form["b"]) == (["1", "2"], "x")
    assert (request.args.get("q", type=int), request.args.get("none", 5)) == (7, 5)
    assert request.headers["CONTENT-TYPE"] == request.content_type
    assert request.cookies == {"k": "v"}
    assert request.values.getlist("q") == ["7", "8"]
    assert request.url == "http://localhost/score?q=7&q=8"
    assert request.get_json(silent=True) is None
    with pytest.raises(Refused):
        _request(b"{", content_type="application/json").get_json()
    assert _request(b'{"a": 1}').get_json(force=True) == {"a": 1}


def test_a_response_is_as_flasks() -> None:
    plain = AMLResponse("text", 200)
    assert plain.headers.get("content-type") == "text/html; charset=utf-8"
    assert AMLResponse(None, 202).get_data() == b"{}"
    told = AMLResponse({"a": 1}, 200, {"X-A": "1, 2"}, json_str=True)
    assert (told.get_data(), told.headers.getlist("x-a")) == (b'{"a": 1}', ["1", "2"])
    assert AMLResponse(iter([b"a", "b"]), 200).get_data() == b"ab"


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ("def run_batch(rows: 'pd.DataFrame'): ...", "dataframe"),
        ("def run_batch(rows: 'list[dict[str, object]]') -> 'pd.DataFrame': ...", "records"),
        ("def run_batch(rows: 'npt.NDArray[np.float64]'): ...", "numpy"),
        ("def run_batch(rows): ...", "records"),
        ("def run(data): ...", ""),
    ],
)
def test_annotations_say_the_form(code: str, form: str) -> None:
    module = type(sys)("score")
    exec(code, vars(module))  # noqa: S102
    function, found = batch_function(module, Config({"code": "/c", "entry": "score.py"}))
    assert found == form
    assert (function is None) == (form == "")


def test_a_form_that_there_is_not_is_named() -> None:
    module = type(sys)("score")
    exec("def run_batch(rows: 'torch.Tensor'): ...", vars(module))  # noqa: S102
    with pytest.raises(ValueError, match=r"as 'torch\.Tensor', expected one of dataframe, numpy"):
        batch_function(module, Config({"code": "/c", "entry": "score.py"}))
