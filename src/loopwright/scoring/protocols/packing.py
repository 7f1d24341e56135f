"""Tensors of the Open Inference Protocol, and their elements as bytes: Triton's binary tensor data extension.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loopwright.scoring.refusals import InvalidInput

# How a number of each type lies in memory: little-endian, as the extension says.
_PACKED = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
DATATYPES = (*_PACKED, "BYTES")
FLOATS = ("FP16", "FP32", "FP64")
_MOST_DIMENSIONS, _LARGEST = 8, 2**40  # of a shape, before anything is multiplied
_LENGTH = struct.Struct("<I")  # before each element of BYTES


@dataclass(frozen=True)
class Tensor:
    """A named array; `values` lie flat, row by row."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: list[Any]
    parameters: Mapping[str, str] = field(default_factory=dict)


def unpack(name: str, datatype: str, count: int, raw: bytes | memoryview) -> list[Any]:
    """The elements of a tensor in binary; raises InvalidInput where the bytes are not as many as there should be."""
    if datatype == "BYTES":
        return _unpack_bytes(name, count, raw)
    size = struct.calcsize(_PACKED[datatype])
    if len(raw) != count * size:
        found = f"{len(raw)} bytes long"
        raise InvalidInput(
            name, None, found, f"{count * size} bytes ({count} x {datatype}), as its shape says"
        )
    return list(struct.unpack(f"<{count}{_PACKED[datatype]}", raw))


def pack(tensor: Tensor) -> bytes:
    """A tensor's elements in binary."""
    if tensor.datatype == "BYTES":
        encoded = [str(value).encode() for value in tensor.values]
        return b"".join(part for one in encoded for part in (_LENGTH.pack(len(one)), one))
    values = tensor.values
    if tensor.datatype in FLOATS:
        values = [float("nan") if value is None else value for value in values]
    return struct.pack(f"<{len(values)}{_PACKED[tensor.datatype]}", *values)


def _unpack_bytes(name: str, count: int, raw: bytes | memoryview) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(raw) and len(found) < count:
        end = at + _LENGTH.size
        length = _LENGTH.unpack_from(raw, at)[0] if end <= len(raw) else len(raw)
        at, start = end + length, end
        if at > len(raw):
            raise InvalidInput(
                name, len(found), "cut short", "its length in 4 bytes, and as many bytes as it says"
            )
        found.append(text(name, len(found), bytes(raw[start:at])))
    if at != len(raw) or len(found) != count:
        more = " and more bytes" if at < len(raw) else ""
        raise InvalidInput(name, None, f"{len(found)} elements{more}", f"{count} elements, as its shape says")
    return found


def text(name: str, row: int, raw: bytes) -> str:
    """An element of BYTES as the text that a column of strings holds; raises InvalidInput."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InvalidInput(name, row, "not UTF-8", "a string in UTF-8") from None


def count_of(name: str, shape: Sequence[int]) -> int:
    """How many elements a shape has; raises InvalidInput for sizes that no body has room for."""
    if len(shape) > _MOST_DIMENSIONS or any(not 0 <= size <= _LARGEST for size in shape):
        raise InvalidInput(name, None, f"of shape {str(list(shape[:3]))[:60]}", "shape [n] or [n, 1]")
    return math.prod(shape)
