"""Tensors as columns of the model's inputs, and back, in JSON and in binary."""

from __future__ import annotations

import json
import math
import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.scoring.answers import Answers
from loopwright.scoring.protocols import oip_rest, packing, tensors
from loopwright.scoring.protocols.packing import Tensor
from loopwright.scoring.protocols.tensors import Asked, InferRequest
from loopwright.scoring.refusals import InvalidInput, Refusal
from loopwright.scoring.settings import Input, Output

AGE, NAME, FARE = (
    Input(name="age", type="integer", nullable=True),
    Input(name="name", type="string"),
    Input(name="fare", type="number"),
)


def tensor(name: str, data: list[Any], datatype: str = "INT64", **more: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data} | more


def read(*inputs: dict[str, Any], columns: tuple[Input, ...] = (AGE, NAME), **more: Any) -> Any:
    request = oip_rest.decode(json.dumps({"inputs": list(inputs)} | more).encode())
    return tensors.columns(request, columns)


def test_a_tensor_for_each_input_is_a_column_each() -> None:
    found = read(tensor("name", ["a", "b"], "BYTES"), tensor("age", [[1], [2]], shape=[2, 1]))
    assert found == ({"name": ["a", "b"], "age": [1, 2]}, 2)


def test_one_tensor_may_hold_all_numbers_in_the_order_of_the_inputs() -> None:
    joined = tensor("input-0", [[1.0, 7.25], [2.0, 8.5]], "FP64", shape=[2, 2])
    assert read(joined, columns=(AGE, FARE)) == ({"age": [1.0, 2.0], "fare": [7.25, 8.5]}, 2)


def test_nan_in_a_float_tensor_is_a_missing_number() -> None:
    raw = struct.pack("<2f", 1.0, math.nan)
    request = InferRequest("", (Tensor("age", "FP32", (2,), packing.unpack("age", "FP32", 2, raw)),))
    assert tensors.columns(request, (AGE,)) == ({"age": [1.0, None]}, 2)


@pytest.mark.parametrize(
    ("inputs", "field", "expected"),
    [
        ([], "inputs", "a tensor for each"),
        ([tensor("x", [1])], "x", "one of age, name"),
        ([tensor("age", [1]), tensor("age", [1])], "age", "one tensor for each input"),
        ([tensor("age", [1, 2]), tensor("name", ["a"], "BYTES")], "name", "2, as the tensors before it"),
        ([tensor("age", [1], shape=[2])], "age", "2, as its shape [2] says"),
        ([tensor("age", [1], shape=[-1])], "age", "shape [n] or [n, 1]"),
        ([tensor("age", [1], shape=[2**62] * 9)], "age", "shape [n] or [n, 1]"),
        ([tensor("age", [1, 2], shape=[1, 2])], "age", "shape [n] or [n, 1]"),
        ([tensor("age", [1], "INT65")], "age", "one of BOOL"),
        ([tensor("all", [1, 2], shape=[1, 2])], "all", "a tensor for each input, since its input 'name' is no number"),
        ([tensor("age", [1], parameters={"classification": 3})], "age", "not offered"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_its_name(
    inputs: list[dict[str, Any]], field: str, expected: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(*inputs)
    assert refused.value.details["field"] == field
    assert expected in refused.value.message


def test_a_joined_tensor_of_another_width_names_the_inputs() -> None:
    with pytest.raises(InvalidInput, match=r"expected \[n, 2\]: the inputs age, fare"):
        read(tensor("x", [1.0, 2.0, 3.0], "FP64", shape=[1, 3]), columns=(AGE, FARE))


def binary(*parts: bytes, **whole: Any) -> tuple[bytes, str]:
    head = json.dumps(whole).encode()
    return head + b"".join(parts), str(len(head))


def test_binary_tensors_follow_the_json_one_after_the_other() -> None:
    names = b"".join(struct.pack("<I", len(one)) + one for one in ("é".encode(), b""))
    ages = struct.pack("<2q", 5, -6)
    body, length = binary(
        names, ages,
        inputs=[
            {"name": "name", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(names)}},
            {"name": "age", "datatype": "INT64", "shape": [2, 1], "parameters": {"binary_data_size": len(ages)}},
        ],
    )  # fmt: skip
    found = tensors.columns(oip_rest.decode(body, length), (AGE, NAME))
    assert found == ({"name": ["é", ""], "age": [5, -6]}, 2)


@pytest.mark.parametrize("size", [0, 7, 9, 17, -1, "8", 2**70])
def test_a_wrong_size_in_binary_is_refused(size: Any) -> None:
    one = {"name": "age", "datatype": "INT64", "shape": [1], "parameters": {"binary_data_size": size}}
    body, length = binary(bytes(16), inputs=[one])
    with pytest.raises(InvalidInput, match="bytes"):
        oip_rest.decode(body, length)


def test_bytes_after_the_last_tensor_are_refused() -> None:
    one = {"name": "age", "datatype": "INT64", "shape": [1], "parameters": {"binary_data_size": 8}}
    body, length = binary(bytes(9), inputs=[one])
    with pytest.raises(InvalidInput, match="1 bytes longer than its tensors"):
        oip_rest.decode(body, length)


@pytest.mark.parametrize("header", ["", "x", "0", "-1", "1e3", "999", "9" * 5000, "²"])
def test_the_header_says_a_length_within_the_body(header: str) -> None:
    with pytest.raises(InvalidInput, match="Inference-Header-Content-Length"):
        oip_rest.decode(b'{"inputs":[]}', header)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "The body is not JSON"),
        (b"\xff", "The body is not"),
        (b"[]", "The body is of type array, expected object."),
        (b"{}", "The body: field 'inputs' is missing"),
        (b'{"inputs":[{"name":1}]}', "field 'inputs[0].name' is of type int, expected str"),
        (
            b'{"inputs":[{"name":"a","datatype":"FP32","shape":[1]}]}',
            "field 'a' is without `data`, expected its elements",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(Refusal, match="The body") as refused:
        oip_rest.decode(body)
    assert sentence in refused.value.message


OUTPUTS = (Output(name="prediction", type="string"), Output(name="probabilities", type="object"))
GIVEN = Answers(("prediction", "probabilities"), [["a", "b"], [{"a": 0.75, "b": 0.25}, {"a": 0.5, "b": 0.5}]])


def test_answers_are_tensors_and_the_classes_of_a_table_are_said() -> None:
    answers = tensors.answers(InferRequest("7", ()), OUTPUTS, GIVEN)
    body, length = oip_rest.encode("titanic", "3", "7", answers)
    assert length is None
    assert json.loads(body) == {
        "model_name": "titanic",
        "model_version": "3",
        "id": "7",
        "outputs": [
            {"name": "prediction", "datatype": "BYTES", "shape": [2, 1], "data": ["a", "b"]},
            {
                "name": "probabilities",
                "datatype": "FP64",
                "shape": [2, 2],
                "parameters": {"labels": '["a","b"]'},
                "data": [0.75, 0.25, 0.5, 0.5],
            },
        ],
    }


def test_only_what_was_asked_for_is_answered_and_in_binary_where_so_asked() -> None:
    request = InferRequest("", (), (Asked("probabilities", True),))
    body, length = oip_rest.encode("m", None, "", tensors.answers(request, OUTPUTS, GIVEN))
    assert length is not None
    assert json.loads(body[:length])["outputs"][0]["parameters"]["binary_data_size"] == 32
    assert struct.unpack("<4d", body[length:]) == (0.75, 0.25, 0.5, 0.5)


def test_an_output_that_is_not_there_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidInput, match="one of prediction, probabilities"):
        tensors.answers(InferRequest("", (), (Asked("score"),)), OUTPUTS, GIVEN)


@pytest.mark.parametrize(
    ("values", "datatype", "data"),
    [
        ([1, 2], "INT64", [1, 2]),
        ([1, 2.5], "FP64", [1, 2.5]),
        ([True, False], "BOOL", [True, False]),
        (["a", None], "BYTES", ['"a"', "null"]),
        ([1, None], "INT64", None),
        ([{"a": [1]}], "BYTES", ['{"a":[1]}']),
        ([None], "BYTES", ["null"]),
        ([2**64], "BYTES", ["18446744073709551616"]),
    ],
)
def test_a_column_without_a_declared_type_is_what_its_values_are(
    values: list[Any], datatype: str, data: list[Any] | None
) -> None:
    [(found, _)] = tensors.answers(InferRequest("", ()), None, Answers(("x",), [values]))
    if data is None:  # a missing integer is a NaN, which integers lack
        assert found.datatype == "FP64"
        assert math.isnan(struct.unpack("<2d", packing.pack(found))[1])
    else:
        assert (found.datatype, found.values) == (datatype, data)


_NUMBERS = {
    "INT8": st.integers(-(2**7), 2**7 - 1),
    "UINT32": st.integers(0, 2**32 - 1),
    "INT64": st.integers(-(2**63), 2**63 - 1),
    "FP32": st.floats(width=32, allow_nan=False),
    "FP64": st.floats(allow_nan=False),
    "BOOL": st.booleans(),
    "BYTES": st.text(st.characters(exclude_categories=["Cs"])),
}


@given(
    st.sampled_from(sorted(_NUMBERS)).flatmap(lambda kind: st.tuples(st.just(kind), st.lists(_NUMBERS[kind])))
)
def test_what_is_packed_is_unpacked_the_same(given: tuple[str, list[Any]]) -> None:
    kind, values = given
    packed = packing.pack(Tensor("x", kind, (len(values),), values))
    assert packing.unpack("x", kind, len(values), packed) == values


@given(st.binary(max_size=60), st.integers(0, 70) | st.none(), st.integers(0, 10))
def test_no_bytes_do_more_than_be_refused(content: bytes, header: int | None, count: int) -> None:
    for attempt in (
        lambda: oip_rest.decode(content, None if header is None else str(header)),
        lambda: packing.unpack("x", "BYTES", count, content),
    ):
        with suppress(Refusal):
            attempt()
