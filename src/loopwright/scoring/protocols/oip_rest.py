"""The Open Inference Protocol's REST bodies (v2), with Triton's binary tensor data extension.

In binary, a body is JSON of the length that `Inference-Header-Content-Length` says, and after it the tensors that have
a `binary_data_size`, one after the other. Specification:
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from loopwright.scoring.protocols import complaints, packing, tensors
from loopwright.scoring.protocols.packing import Tensor
from loopwright.scoring.protocols.tensors import Asked, InferRequest
from loopwright.scoring.refusals import InvalidInput

BINARY_LENGTH = "inference-header-content-length"  # the header that says where the JSON ends
EXTENSIONS = ("binary_tensor_data",)

_MOST_NESTED = 2  # levels: [n, 1] and [n, inputs] have two


class _InputJson(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: list[Any] | msgspec.UnsetType = msgspec.UNSET


class _OutputJson(msgspec.Struct):
    name: str
    parameters: dict[str, Any] = {}


class _RequestJson(msgspec.Struct):
    inputs: list[_InputJson]
    id: str = ""
    parameters: dict[str, Any] = {}
    outputs: list[_OutputJson] = []


_REQUEST = msgspec.json.Decoder(_RequestJson)


def decode(body: bytes, header: str | None = None) -> InferRequest:
    """The request in a body, given the value of Inference-Header-Content-Length; raises NotJson or InvalidInput."""
    length = _json_length(body, header)
    whole: _RequestJson = complaints.read(_REQUEST, memoryview(body)[:length])
    tensors.check_parameters(whole.parameters, "parameters")
    rest = _Rest(memoryview(body)[length:])
    inputs = tuple(_tensor(one, rest) for one in whole.inputs)
    rest.check_empty()
    binary = whole.parameters.get("binary_data_output") is True
    outputs = []
    for one in whole.outputs:
        tensors.check_parameters(one.parameters, one.name)
        outputs.append(Asked(one.name, one.parameters.get("binary_data", binary) is True))
    return InferRequest(whole.id, inputs, tuple(outputs), binary, whole.parameters)


def encode(
    model: str, version: str | None, request_id: str, answers: Sequence[tuple[Tensor, bool]]
) -> tuple[bytes, int | None]:
    """A response's body, and how long its JSON is where tensors in binary follow it."""
    outputs, binaries = [], []
    for tensor, binary in answers:
        described: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": tensor.shape,
        }
        parameters: dict[str, Any] = dict(tensor.parameters)
        if binary:
            binaries.append(packing.pack(tensor))
            parameters["binary_data_size"] = len(binaries[-1])
        else:
            described["data"] = tensor.values
        outputs.append(described | ({"parameters": parameters} if parameters else {}))
    whole: dict[str, Any] = {"model_name": model}
    whole |= {"model_version": version} if version else {}
    whole |= {"id": request_id} if request_id else {}
    head = msgspec.json.encode(whole | {"outputs": outputs})
    return (head + b"".join(binaries), len(head)) if binaries else (head, None)


def error(message: str) -> bytes:
    """The body of an error, as the protocol has it."""
    return msgspec.json.encode({"error": message})


class _Rest:
    """The bytes after the JSON, taken from their beginning."""

    def __init__(self, content: memoryview) -> None:
        self._content = content

    def take(self, name: str, size: Any) -> memoryview:
        if type(size) is not int or not 0 <= size <= len(self._content):
            left = f"a whole number of bytes, of {len(self._content)} that are left"
            raise InvalidInput(f"{name}.parameters.binary_data_size", None, repr(size)[:40], left)
        taken, self._content = self._content[:size], self._content[size:]
        return taken

    def check_empty(self) -> None:
        if self._content:
            raise InvalidInput(
                None,
                None,
                f"{len(self._content)} bytes longer than its tensors",
                "no byte after the last tensor",
            )


def _json_length(body: bytes, header: str | None) -> int:
    if header is None:
        return len(body)
    if not (header.isascii() and header.isdigit() and len(header) < 12 and 0 < int(header) <= len(body)):
        raise InvalidInput(
            "Inference-Header-Content-Length",
            None,
            repr(header[:40]),
            f"the length of the body's JSON, which is at most {len(body)}",
        )
    return int(header)


def _tensor(one: _InputJson, rest: _Rest) -> Tensor:
    tensors.check_parameters(one.parameters, one.name)
    if one.datatype not in packing.DATATYPES:
        raise InvalidInput(
            one.name, None, f"of datatype {one.datatype!r}", f"one of {', '.join(packing.DATATYPES)}"
        )
    shape = tuple(one.shape)
    if "binary_data_size" in one.parameters:
        if one.data is not msgspec.UNSET:
            raise InvalidInput(one.name, None, "there as `data` and in binary", "one of them")
        raw = rest.take(one.name, one.parameters["binary_data_size"])
        count = packing.count_of(one.name, shape)
        return Tensor(one.name, one.datatype, shape, packing.unpack(one.name, one.datatype, count, raw))
    if one.data is msgspec.UNSET:
        raise InvalidInput(
            one.name, None, "without `data`", "its elements as `data`, or their binary_data_size"
        )
    return Tensor(one.name, one.datatype, shape, _flat(one.data))


def _flat(data: list[Any]) -> list[Any]:
    """Elements row by row; they may come nested as their shape is."""
    for _ in range(_MOST_NESTED - 1):
        if not (data and isinstance(data[0], list)):
            return data
        data = [value for part in data for value in (part if isinstance(part, list) else [part])]
    return data
