"""The shapes of bodies, as JSON Schema: for the OpenAPI and Swagger documents of a replica."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loopwright.scoring.settings import Input, Settings

Json = dict[str, Any]


def row(inputs: Sequence[Input], nullable: str = "") -> Json:
    """An object with the model's inputs; `nullable` is the key that says null may stand there, where types cannot."""
    return {
        "type": "object",
        "properties": {one.name: _column(one, nullable) for one in inputs},
        "required": [one.name for one in inputs if not one.nullable],
    }


def _column(one: Input, nullable: str) -> Json:
    kind = one.type
    schema: Json = {"type": [kind, "null"] if one.nullable and not nullable else kind}
    if one.nullable and nullable:
        schema[nullable] = True
    if one.type == "integer":
        schema["format"] = "int64"
    if one.categories:
        schema["description"] = f"Known values: {', '.join(map(str, one.categories))[:500]}."
    return schema


def answer(settings: Settings) -> Json:
    """An object with the model's outputs; anything, where a script answers."""
    if settings.outputs is None:
        return {}
    properties: Json = {
        one.name: {"type": one.type}
        | ({"additionalProperties": {"type": "number"}} if one.type == "object" else {})
        for one in settings.outputs
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def failure() -> Json:
    """Why there is no answer."""
    why = {
        "type": "object",
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        "required": ["code", "message"],
    }
    return {"type": "object", "properties": {"error": why}, "required": ["error"]}


def components(settings: Settings) -> Json:
    """All named schemas of a replica's OpenAPI document."""
    schemas: Json = {"Answer": answer(settings), "Error": failure()}
    if settings.inputs is not None:
        rows = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}
        column = {one.name: {"type": "array", "items": _column(one, "")} for one in settings.inputs}
        schemas |= {
            "Row": row(settings.inputs),
            "Rows": rows,
            "Columns": {
                "type": "object",
                "properties": column,
                "required": [one.name for one in settings.inputs if not one.nullable],
            },
            "Wrapped": {"type": "object", "properties": {"data": rows}, "required": ["data"]},
            **_tensor_schemas(),
            **_mlflow_schemas(),
        }
    return schemas


def _tensor_schemas() -> Json:
    tensor: Json = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "datatype": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "parameters": {"type": "object"},
            "data": {"type": "array"},
        },
        "required": ["name", "datatype", "shape"],
    }
    named = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "parameters": {"type": "object"}},
        "required": ["name"],
    }
    request = {
        "id": {"type": "string"},
        "parameters": {"type": "object"},
        "inputs": {"type": "array", "items": tensor},
        "outputs": {"type": "array", "items": named},
    }
    response = {
        "model_name": {"type": "string"},
        "model_version": {"type": "string"},
        "id": {"type": "string"},
        "outputs": {"type": "array", "items": tensor},
    }
    return {
        "InferRequest": {"type": "object", "properties": request, "required": ["inputs"]},
        "InferResponse": {"type": "object", "properties": response, "required": ["model_name", "outputs"]},
        "InferError": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]},
    }


def _mlflow_schemas() -> Json:
    rows = {"$ref": "#/components/schemas/Rows"}
    columns = {"$ref": "#/components/schemas/Columns"}
    split = {
        "type": "object",
        "properties": {
            "columns": {"type": "array", "items": {"type": "string"}},
            "data": {"type": "array", "items": {"type": "array"}},
        },
        "required": ["columns", "data"],
    }
    forms = {"dataframe_split": split, "dataframe_records": rows, "instances": rows, "inputs": columns}
    return {
        "Invocation": {
            "oneOf": [
                {"type": "object", "properties": {name: schema}, "required": [name]}
                for name, schema in forms.items()
            ]
        },
        "Predictions": {
            "type": "object",
            "properties": {"predictions": {"type": "array"}},
            "required": ["predictions"],
        },
        "InvocationError": {
            "type": "object",
            "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
            "required": ["error_code", "message"],
        },
    }
