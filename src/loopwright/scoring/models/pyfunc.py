"""MLflow's models: those of the libraries that we know as they are, all others by MLflow's own pyfunc."""

from __future__ import annotations

from typing import Any, Sequence

from . import tables
from .tables import Columns, Model, ModelError, Rows

_NATIVE = ("sklearn", "xgboost", "lightgbm")
_TYPES = {
    "boolean": "boolean",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "string": "string",
}


def load_mlflow(path: str) -> Any:
    """The estimator or booster inside, which tells more than pyfunc (probabilities); else a PyfuncModel."""
    import mlflow.models

    model = mlflow.models.Model.load(path)
    function = model.flavors.get("python_function", {})
    for name in _NATIVE:
        loader = "mlflow." + name
        if name in model.flavors and function.get("loader_module") == loader and _predicts(function):
            import importlib

            return importlib.import_module(loader).load_model(path)
    import mlflow.pyfunc

    return PyfuncModel(mlflow.pyfunc.load_model(path))


def _predicts(function: dict[str, Any]) -> bool:
    """Whether what it serves is predict(), and not another function that was asked for when it was logged."""
    return bool(function.get("predict_fn", "predict") == "predict")


class PyfuncModel(Model):
    """A model of any flavor, asked by predict() with a DataFrame, or an array where its signature has tensors."""

    def __init__(self, model: Any) -> None:
        self._model = model
        signature = model.metadata.signature
        self._inputs: list[tuple[str, str]] = _columns(signature and signature.inputs)
        self._tensor = bool(signature and signature.inputs and signature.inputs.is_tensor_spec())
        declared = _columns(signature and signature.outputs)
        self.outputs = tuple((name, _TYPES.get(kind, "object")) for name, kind in declared) or (
            ("prediction", _only_type(signature)),
        )
        self._named = bool(declared)

    def check(self, names: Sequence[str], types: Sequence[str]) -> None:
        self._order(names)

    def score(self, rows: Rows, names: Sequence[str], types: Sequence[str]) -> Columns:
        order = self._order(names)
        if self._tensor:
            table = tables.array(rows, order, types)
            spec = self._model.metadata.signature.inputs.inputs[0]
            table = table.astype(spec.type) if table.dtype.kind == "f" else table
        else:
            table = self._typed(tables.frame(rows, order, names, types))
        return self._answers(self._model.predict(table))

    def _order(self, names: Sequence[str]) -> list[int]:
        wanted = [name for name, _ in self._inputs]
        return tables.order_by_name(wanted, names) if wanted else tables.order_by_place(None, names)

    def _typed(self, table: Any) -> Any:
        """The columns in the very types of the signature, which MLflow does not narrow to by itself."""
        exact = {"integer": "int32", "long": "int64", "float": "float32", "double": "float64"}
        wanted = {
            name: exact[kind]
            for name, kind in self._inputs
            if kind in exact and not (kind in ("integer", "long") and table[name].isna().any())
        }
        return table.astype(wanted) if wanted else table

    def _answers(self, answers: Any) -> Columns:
        if hasattr(answers, "columns") and hasattr(answers, "to_dict"):
            found = {str(name): answers[name].tolist() for name in answers.columns}
            if self._named and all(name in found for name, _ in self.outputs):
                return [found[name] for name, _ in self.outputs]
            if len(found) == 1:
                return [next(iter(found.values()))]
            return [answers.to_dict(orient="records")]
        values = answers.tolist() if hasattr(answers, "tolist") else list(answers)
        if values and isinstance(values[0], list) and len(values[0]) == 1:
            values = [row[0] for row in values]
        if values and isinstance(values[0], list) and self.outputs[0][1] != "object":
            raise ModelError(
                f"The model gives a list for each row, and its signature says {self.outputs[0][1]}; log it with a "
                "signature that is inferred from what it gives."
            )
        return [values]


def _columns(schema: Any) -> list[tuple[str, str]]:
    """Names and types of a schema's columns; none where it has tensors, or columns without names."""
    if not schema or schema.is_tensor_spec() or not schema.has_input_names():
        return []
    return [(str(column.name), _type_name(column)) for column in schema.inputs]


def _only_type(signature: Any) -> str:
    outputs = signature and signature.outputs
    if not outputs or len(outputs.inputs) != 1:
        return "object"
    if not outputs.is_tensor_spec():
        return _TYPES.get(_type_name(outputs.inputs[0]), "object")
    spec = outputs.inputs[0]
    if len(spec.shape) > 1 and tuple(spec.shape)[1:] != (1,):
        return "object"
    return {"f": "number", "i": "integer", "u": "integer", "b": "boolean", "U": "string"}.get(
        spec.type.kind, "object"
    )


def _type_name(column: Any) -> str:
    kind = column.type
    return str(getattr(kind, "name", kind)).lower()
