"""The class labels inside an ONNX file, read without the onnx package: ONNX Runtime does not tell them.

Source: the wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding) and onnx.proto: the
graph is field 7 of a model, its nodes field 1, a node's attributes field 5, their name field 1, ints 8, strings 9.
"""

from __future__ import annotations

from typing import Any, Iterator

_GRAPH, _NODE, _ATTRIBUTE, _NAME, _INTS, _STRINGS = 7, 1, 5, 1, 8, 9
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_LABELS = (b"classlabels_int64s", b"classlabels_ints", b"classlabels_strings")


def class_labels(path: str) -> list[Any]:
    """The labels of the last classifier in the graph, in the order of its probabilities; none where there is none."""
    with open(path, "rb") as file:
        content = memoryview(file.read())
    found: list[Any] = []
    for graph in _fields(content, _GRAPH):
        for node in _fields(graph, _NODE):
            for attribute in _fields(node, _ATTRIBUTE):
                if any(bytes(name) in _LABELS for name in _fields(attribute, _NAME)):
                    found = _labels(attribute) or found
    return found


def _labels(attribute: memoryview) -> list[Any]:
    texts = [bytes(text).decode("utf-8", "replace") for text in _fields(attribute, _STRINGS)]
    if texts:
        return list(texts)
    numbers: list[Any] = []
    for number, kind, value in _entries(attribute):
        if number == _INTS and kind == _VARINT:
            numbers.append(_signed(value))
        elif number == _INTS:
            place = 0
            while place < len(value):
                item, place = _varint(value, place)
                numbers.append(_signed(item))
    return numbers


def _fields(message: memoryview, wanted: int) -> Iterator[memoryview]:
    return (value for number, kind, value in _entries(message) if number == wanted and kind == _LENGTH)


def _entries(message: memoryview) -> Iterator[tuple[int, int, Any]]:
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield key >> 3, kind, value
            continue
        if kind == _LENGTH:
            size, place = _varint(message, place)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("not a protocol buffer")
        yield key >> 3, kind, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return value, place
        shift += 7


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
