"""ONNX models, run by the ONNX Runtime of the user's environment."""

from __future__ import annotations

import os
from typing import Any, Sequence

from . import protobuf, tables
from .tables import Columns, Model, ModelError, RowError, Rows

_NUMPY = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}
_WHOLE = {  # what they hold: no gap, no fraction, nothing beyond
    "tensor(int64)": (-(2**63), 2**63 - 1),
    "tensor(int32)": (-(2**31), 2**31 - 1),
    "tensor(bool)": (0, 1),
}
_TYPES = {"float": "number", "double": "number", "float16": "number", "int64": "integer", "int32": "integer"}


class OnnxModel(Model):
    """One table of all columns, or one input for each; labels and probabilities where it is a classifier."""

    def __init__(self, path: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 1)
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._inputs = [(one.name, one.type, one.shape) for one in self._session.get_inputs()]
        given = self._session.get_outputs()
        self._classes = _classes(path, given)
        if self._classes is not None:
            self._wanted = [one.name for one in given[:2]]
            self.outputs = tables.class_outputs(self._classes, scored=len(given) > 1)
        else:
            self._wanted = [one.name for one in given]
            named = [(one.name if len(given) > 1 else "prediction", _output_type(one)) for one in given]
            self.outputs = tuple(named)

    def check(self, names: Sequence[str], types: Sequence[str]) -> None:
        for _name, kind, order in self._feeds(names):
            texts = [names[place] for place in order if types[place] == "string"]
            if texts and kind != "tensor(string)":
                raise ModelError(
                    f"The model takes the input {tables.listed(texts)} as {kind}, and it is declared a string; declare the type it was "
                    "trained on."
                )

    def check_missing(self, names: Sequence[str], nullable: Sequence[str]) -> None:
        for _name, kind, order in self._feeds(names):
            gaps = [names[place] for place in order if names[place] in nullable]
            if gaps and kind in _WHOLE:
                raise ModelError(
                    f"The model takes the input {tables.listed(gaps)} as {kind}, which holds no missing value, and the data's "
                    "schema lets it be missing. Say `missing: 0` of it in the schema, or let the model take it as a float."
                )

    def score(self, rows: Rows, names: Sequence[str], types: Sequence[str]) -> Columns:
        feed = {name: _tensor(rows, order, kind, names) for name, kind, order in self._feeds(names)}
        answers = self._session.run(self._wanted, feed)
        if self._classes is None:
            return [_values(answer) for answer in answers]
        columns = [_values(answers[0])]
        if len(answers) > 1:
            columns.append(self._scores(answers[1]))
        return columns

    def _feeds(self, names: Sequence[str]) -> list[tuple[str, str, list[int]]]:
        """For each input of the graph, which columns it takes."""
        for name, kind, _ in self._inputs:
            if kind not in _NUMPY:
                raise ModelError(
                    f"The model's input {name!r} is {kind}, which rows cannot give; serve it by a script."
                )
        if len(self._inputs) == 1 and not (len(names) == 1 and names[0] == self._inputs[0][0]):
            name, kind, shape = self._inputs[0]
            width = shape[1] if len(shape) > 1 and isinstance(shape[1], int) else None
            if len(shape) > 2:
                raise ModelError(
                    f"The model takes a tensor of {len(shape)} axes, expected rows by columns; serve it by a script "
                    "with serving.entry."
                )
            return [(name, kind, tables.order_by_place(width, names))]
        order = tables.order_by_name([name for name, _, _ in self._inputs], names)
        return [(name, kind, [place]) for (name, kind, _), place in zip(self._inputs, order)]

    def _scores(self, answer: Any) -> list[Any]:
        import numpy as np

        labels: Any = self._classes
        if isinstance(answer, list):  # one map from label to probability for each row
            answer = np.array([[row[label] for label in labels] for row in answer]).reshape(-1, len(labels))
        if answer.ndim == 1 or answer.shape[1] == 1:
            positive = answer.reshape(-1, 1)
            answer = np.concatenate([1 - positive, positive], axis=1)
        return tables.class_scores(labels, answer)


def _classes(path: str, outputs: Sequence[Any]) -> list[Any] | None:
    """The labels of a classifier as its converter wrote them; None where the graph is something else."""
    labels = protobuf.class_labels(path)
    if not labels or outputs[0].type not in ("tensor(int64)", "tensor(string)"):
        return None
    return labels


def _output_type(output: Any) -> str:
    inner = output.type[len("tensor(") : -1] if output.type.startswith("tensor(") else ""
    if len(output.shape or []) > 1 and output.shape[1] != 1:
        return "object"
    return {"string": "string", "bool": "boolean"}.get(inner) or _TYPES.get(inner, "object")


def _tensor(rows: Rows, order: list[int], kind: str, names: Sequence[str]) -> Any:
    import numpy as np

    table = [[row[place] for place in order] for row in rows]
    if kind == "tensor(string)":
        return np.array(
            [["" if value is None else str(value) for value in row] for row in table], dtype=object
        )
    if kind in _WHOLE:
        least, most = _WHOLE[kind]
        for number, row in enumerate(table):
            for place, value in zip(order, row):
                if value is None or not least <= value <= most or value != int(value):
                    raise _untaken(names[place], number, value, kind)
    return np.array(table, dtype=_NUMPY[kind]).reshape(len(table), len(order))


def _untaken(name: str, row: int, value: Any, kind: str) -> RowError:
    """Why a tensor of whole numbers cannot have this value."""
    if value is None:
        return RowError(name, row, "null", "a value, since the model takes none that is missing")
    least, most = _WHOLE[kind]
    return RowError(
        name, row, repr(value), f"a whole number from {least} to {most}, since the model takes {kind}"
    )


def _values(answer: Any) -> list[Any]:
    if isinstance(answer, list):
        return answer
    if answer.ndim > 1 and answer.shape[1] == 1:
        answer = answer.reshape(len(answer), -1)[:, 0]
    values: list[Any] = answer.tolist()
    return values
