"""The Open Inference Protocol's gRPC messages as tensors, and answers as messages; without a server.

Tensors come as `contents`, or all of them as `raw_input_contents` in binary, which is how Triton's client sends them;
answers go the way the question came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loopwright.scoring.protocols import packing, tensors
from loopwright.scoring.protocols.packing import Tensor
from loopwright.scoring.protocols.tensors import Asked, InferRequest
from loopwright.scoring.refusals import InvalidInput

_CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def decode(message: Any) -> InferRequest:
    """The request in a ModelInferRequest; raises InvalidInput."""
    tensors.check_parameters(message.parameters, "parameters")
    raw = list(message.raw_input_contents)
    if raw and len(raw) != len(message.inputs):
        expected = f"as many as inputs ({len(message.inputs)}), or none"
        raise InvalidInput("raw_input_contents", None, f"{len(raw)} of them", expected)
    outputs = []
    for one in message.outputs:
        tensors.check_parameters(one.parameters, one.name)
        outputs.append(Asked(one.name, bool(raw)))
    inputs = tuple(_tensor(one, raw[at] if raw else None) for at, one in enumerate(message.inputs))
    return InferRequest(message.id, inputs, tuple(outputs), bool(raw), _told(message.parameters))


def encode(
    response: Any, model: str, version: str | None, request_id: str, answers: Sequence[tuple[Tensor, bool]]
) -> Any:
    """Fill an empty ModelInferResponse; raw where the first tensor is to be in binary, since all are or none."""
    response.model_name, response.model_version, response.id = model, version or "", request_id
    raw = any(binary for _, binary in answers)
    for tensor, _ in answers:
        output = response.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        for name, value in tensor.parameters.items():
            output.parameters[name].string_param = value
        if raw:
            response.raw_output_contents.append(packing.pack(tensor))
        else:
            _fill(output.contents, tensor)
    return response


def _told(parameters: Any) -> dict[str, Any]:
    chosen = {name: one.WhichOneof("parameter_choice") for name, one in parameters.items()}
    return {name: getattr(parameters[name], choice) for name, choice in chosen.items() if choice}


def _tensor(one: Any, raw: bytes | None) -> Tensor:
    tensors.check_parameters(one.parameters, one.name)
    shape = tuple(one.shape)
    if one.datatype not in packing.DATATYPES:
        found = f"of datatype {one.datatype!r}"
        raise InvalidInput(one.name, None, found, f"one of {', '.join(packing.DATATYPES)}")
    if raw is not None:
        if one.HasField("contents"):
            raise InvalidInput(one.name, None, "there as `contents` and as raw_input_contents", "one of them")
        count = packing.count_of(one.name, shape)
        return Tensor(one.name, one.datatype, shape, packing.unpack(one.name, one.datatype, count, raw))
    if one.datatype not in _CONTENTS:
        raise InvalidInput(
            one.name, None, "FP16 in `contents`", "raw_input_contents, which alone can hold it"
        )
    values = list(getattr(one.contents, _CONTENTS[one.datatype]))
    if one.datatype == "BYTES":
        values = [packing.text(one.name, row, value) for row, value in enumerate(values)]
    return Tensor(one.name, one.datatype, shape, values)


def _fill(contents: Any, tensor: Tensor) -> None:
    values = tensor.values
    if tensor.datatype == "BYTES":
        values = [str(value).encode() for value in values]
    elif tensor.datatype == "FP64":
        values = [float("nan") if value is None else value for value in values]
    getattr(contents, _CONTENTS[tensor.datatype]).extend(values)
