"""Small ONNX models, made node by node: what rows may hold is told by their types alone."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper


def doubling(path: Path, kind: int = TensorProto.INT64, inputs: int = 1) -> Path:
    """A model of so many columns of a type, which answers each row with their doubles' sum."""
    rows, answer = [None, inputs], [None, 1]
    nodes = [
        helper.make_node("Add", ["x", "x"], ["twice"]),
        helper.make_node("ReduceSum", ["twice", "axes"], ["y"], keepdims=1),
    ]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", kind, rows)], [helper.make_tensor_value_info("y", kind, answer)],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=9), str(path))
    return path
