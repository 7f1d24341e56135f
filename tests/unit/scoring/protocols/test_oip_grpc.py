"""gRPC's messages as tensors, and answers as messages."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from loopwright.scoring.protocols import grpc_messages, oip_grpc, tensors
from loopwright.scoring.protocols.packing import Tensor
from loopwright.scoring.refusals import InvalidInput
from loopwright.scoring.settings import Input

INPUTS = (Input(name="age", type="integer"), Input(name="name", type="string"))
MESSAGES = grpc_messages.classes()


def request(**more: Any) -> Any:
    message = MESSAGES["ModelInferRequest"](model_name="m", id="7", **more)
    message.inputs.add(name="age", datatype="INT64", shape=[2])
    message.inputs.add(name="name", datatype="BYTES", shape=[2, 1])
    return message


def test_contents_and_raw_contents_mean_the_same() -> None:
    typed, raw = request(), request()
    typed.inputs[0].contents.int64_contents.extend([1, -2])
    typed.inputs[1].contents.bytes_contents.extend([b"a", "é".encode()])
    raw.raw_input_contents.extend([struct.pack("<2q", 1, -2), b"\1\0\0\0a\2\0\0\0\xc3\xa9"])
    for message in (typed, raw):
        found = oip_grpc.decode(MESSAGES["ModelInferRequest"].FromString(message.SerializeToString()))
        assert tensors.columns(found, INPUTS) == ({"age": [1, -2], "name": ["a", "é"]}, 2)
        assert (found.id, found.binary) == ("7", message is raw)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ([b"1"], "field 'raw_input_contents' is 1 of them, expected as many as inputs (2), or none"),
        ([b"1", b""], "field 'age' is 1 bytes long, expected 16 bytes (2 x INT64)"),
        ([bytes(16), b"\1\0\0\0\xff\0\0\0\0"], "Row 0: field 'name' is not UTF-8"),
        ([bytes(16), b"\1\0\0\0a\1\0"], "Row 1: field 'name' is cut short"),
        ([bytes(16), b"\1\0\0\0a"], "field 'name' is 1 elements, expected 2 elements"),
        ([bytes(16), bytes(9)], "field 'name' is 2 elements and more bytes, expected 2 elements"),
    ],
)
def test_raw_contents_that_do_not_fit_are_refused(raw: list[bytes], sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        oip_grpc.decode(request(raw_input_contents=raw))
    assert sentence in refused.value.message


def test_parameters_are_told_whatever_their_type() -> None:
    message = request()
    message.parameters["customer"].string_param = "c-1"
    message.parameters["priority"].int64_param = 3
    message.parameters["empty"].SetInParent()
    assert oip_grpc.decode(message).parameters == {"customer": "c-1", "priority": 3}


@pytest.mark.parametrize("binary", [False, True])
def test_answers_go_the_way_the_question_came(binary: bool) -> None:
    answers = [(Tensor("p", "FP64", (1, 2), [0.5, None], {"labels": "x"}), binary)]
    response = oip_grpc.encode(MESSAGES["ModelInferResponse"](), "m", "3", "7", answers)
    assert (response.model_name, response.model_version, response.id) == ("m", "3", "7")
    assert response.outputs[0].parameters["labels"].string_param == "x"
    packed = response.raw_output_contents[0] if binary else b""
    values = struct.unpack("<2d", packed) if binary else response.outputs[0].contents.fp64_contents
    assert values[0] == 0.5
    assert values[1] != values[1]
