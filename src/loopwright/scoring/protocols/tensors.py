"""Tensors of the Open Inference Protocol: columns of inputs on their way in, columns of answers on their way out.

REST and gRPC differ in how a tensor is written and in nothing else, so what one means is said here, once.
Specification: https://github.com/kserve/open-inference-protocol; binary form: Triton's binary tensor data extension.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from loopwright.scoring.answers import Answers
from loopwright.scoring.protocols.packing import DATATYPES, FLOATS, Tensor, count_of
from loopwright.scoring.refusals import InvalidInput
from loopwright.scoring.settings import Input, Output

Columns = dict[str, list[Any]]

OF_TYPE = {"integer": "INT64", "number": "FP64", "string": "BYTES", "boolean": "BOOL", "object": "FP64"}
_NUMERIC = ("integer", "number")
# Parameters that ask for something other than the plain answer; what is not done must not look as if it were.
_NOT_OFFERED = (
    "classification",
    "shared_memory_region",
    "sequence_id",
    "sequence_start",
    "sequence_end",
)


@dataclass(frozen=True)
class Asked:
    """An output that a request names, and whether it wants it in binary."""

    name: str
    binary: bool = False


@dataclass(frozen=True)
class InferRequest:
    """A request for inference; no `outputs` means all of them."""

    id: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Asked, ...] = ()
    binary: bool = False  # outputs that it does not name, in binary
    parameters: Mapping[str, Any] = field(default_factory=dict)


def metadata(inputs: Sequence[Input], outputs: Sequence[Output]) -> tuple[list[dict[str, Any]], ...]:
    """The tensors that a model takes and gives, in the words of the model's metadata."""
    return (
        [{"name": one.name, "datatype": OF_TYPE[one.type], "shape": [-1, 1]} for one in inputs],
        [
            {
                "name": one.name,
                "datatype": OF_TYPE[one.type],
                "shape": [-1, -1] if one.type == "object" else [-1, 1],
            }
            for one in outputs
        ],
    )


def check_parameters(names: Iterable[str], where: str) -> None:
    """Raise InvalidInput for a parameter whose meaning would be lost."""
    for name in names:
        if name in _NOT_OFFERED:
            raise InvalidInput(
                where, None, f"asked for {name!r}", "a request without it: it is not offered here"
            )


def columns(request: InferRequest, inputs: Sequence[Input], extra: Sequence[str] = ()) -> tuple[Columns, int]:
    """The request's tensors as columns of the model's inputs, and how many rows they have.

    An input is a tensor of its own name of shape [n] or [n, 1]. Where all inputs are numbers, one tensor of any name
    and of shape [n, inputs] may hold them all, in their order. NaN is what a tensor has for a missing number. An input
    without a tensor is left out: whether it may be missing is not decided here. `extra` names further columns that may
    be there. Raises InvalidInput.
    """
    if not request.inputs:
        raise InvalidInput("inputs", None, "empty", "a tensor for each of the model's inputs")
    for tensor in request.inputs:
        _check(tensor)
    if _is_joined(request.inputs, inputs):
        return _split(request.inputs[0], inputs)
    known = [one.name for one in inputs]
    found: Columns = {}
    rows = -1
    for tensor in request.inputs:
        if tensor.name not in known and tensor.name not in extra:
            raise InvalidInput(tensor.name, None, "not an input of the model", f"one of {', '.join(known)}")
        if tensor.name in found:
            raise InvalidInput(tensor.name, None, "there twice", "one tensor for each input")
        if not 1 <= len(tensor.shape) <= 2 or tensor.shape[1:] not in ((), (1,)):
            raise InvalidInput(tensor.name, None, f"of shape {list(tensor.shape)}", "shape [n] or [n, 1]")
        if rows not in (-1, tensor.shape[0]):
            raise InvalidInput(
                tensor.name, None, f"{tensor.shape[0]} rows", f"{rows}, as the tensors before it"
            )
        rows = tensor.shape[0]
        found[tensor.name] = _without_nan(tensor)
    return found, rows


def _check(tensor: Tensor) -> None:
    if tensor.datatype not in DATATYPES:
        raise InvalidInput(
            tensor.name, None, f"of datatype {tensor.datatype!r}", f"one of {', '.join(DATATYPES)}"
        )
    count = count_of(tensor.name, tensor.shape)
    if count != len(tensor.values):
        raise InvalidInput(
            tensor.name,
            None,
            f"{len(tensor.values)} elements",
            f"{count}, as its shape {list(tensor.shape)} says",
        )


def _is_joined(tensors: Sequence[Tensor], inputs: Sequence[Input]) -> bool:
    alone = len(tensors) == 1 and len(inputs) > 1 and len(tensors[0].shape) == 2
    if not alone or tensors[0].name in {one.name for one in inputs}:
        return False
    first = tensors[0]
    texts = [one.name for one in inputs if one.type not in _NUMERIC]
    if texts or first.datatype in ("BYTES", "BOOL"):
        why = f"its input {texts[0]!r} is no number" if texts else f"{first.datatype} is no number"
        raise InvalidInput(
            first.name, None, "not an input of the model", f"a tensor for each input, since {why}"
        )
    if first.shape[1] != len(inputs):
        raise InvalidInput(
            first.name,
            None,
            f"of shape {list(first.shape)}",
            f"[n, {len(inputs)}]: the inputs {', '.join(one.name for one in inputs)}",
        )
    return True


def _split(tensor: Tensor, inputs: Sequence[Input]) -> tuple[Columns, int]:
    values, width = _without_nan(tensor), len(inputs)
    return {one.name: values[at::width] for at, one in enumerate(inputs)}, tensor.shape[0]


def _without_nan(tensor: Tensor) -> list[Any]:
    if tensor.datatype not in FLOATS:
        return tensor.values
    return [None if value != value else value for value in tensor.values]


def check_outputs(request: InferRequest, names: Sequence[str]) -> None:
    """Raise InvalidInput where the request asks for an output that is not there."""
    for one in request.outputs:
        if one.name not in names:
            raise InvalidInput(one.name, None, "not an output of the model", f"one of {', '.join(names)}")


def answers(
    request: InferRequest, outputs: Sequence[Output] | None, given: Answers
) -> list[tuple[Tensor, bool]]:
    """The answers as tensors, those asked for and in that order, each with whether to send it in binary.

    Without declared `outputs` a column is what its values are. Raises InvalidInput for an output that is not there.
    """
    check_outputs(request, given.names)
    types = {one.name: one.type for one in outputs or ()}
    named = dict(zip(given.names, given.columns, strict=True))
    wanted = request.outputs or tuple(Asked(name, request.binary) for name in given.names)
    return [(_tensor(one.name, types.get(one.name), named[one.name]), one.binary) for one in wanted]


def _tensor(name: str, declared: str | None, values: list[Any]) -> Tensor:
    kind = declared or _kind(values)
    if kind == "object":
        return _table(name, values)
    if kind == "integer" and None in values:
        kind = "number"  # which has a NaN to stand for it
    if kind in ("string", "boolean") and None in values:
        return _as_json(name, values)
    return Tensor(name, OF_TYPE[kind], (len(values), 1), values)


def _kind(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {bool}:
        return "boolean"
    if int in kinds and not all(-(2**63) <= value < 2**63 for value in values if type(value) is int):
        return "object"
    if kinds and kinds <= {int, float}:
        return "integer" if kinds == {int} else "number"
    return "string" if kinds == {str} else "object"


def _table(name: str, values: list[Any]) -> Tensor:
    """Objects with the same keys and numbers alone, such as the probabilities of classes, are a table."""
    if not values:
        return Tensor(name, "FP64", (0, 0), [])
    first = values[0]
    if not isinstance(first, dict) or not first:
        return _as_json(name, values)
    keys = list(first)
    flat = [one.get(key) for one in values if isinstance(one, dict) and list(one) == keys for key in keys]
    numbers = all(type(value) in (int, float) for value in flat)
    if len(flat) != len(values) * len(keys) or not numbers:
        return _as_json(name, values)
    labels = msgspec.json.encode(keys).decode()
    return Tensor(name, "FP64", (len(values), len(keys)), flat, {"labels": labels})


def _as_json(name: str, values: list[Any]) -> Tensor:
    """What has no datatype: a JSON text for each row."""
    texts = [msgspec.json.encode(value).decode() for value in values]
    return Tensor(name, "BYTES", (len(values), 1), texts, {"content_type": "application/json"})
