"""The shapes of rows and of answers, as JSON Schema: for the OpenAPI and Swagger documents of a replica."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loopwright.scoring.settings import Input, Output, Settings

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


def answer(settings: Settings, nullable: str = "") -> Json:
    """An object with the model's outputs, a number that JSON cannot hold being null; anything, where a script answers."""
    if settings.outputs is None:
        return {}
    properties: Json = {one.name: _output(one, nullable) for one in settings.outputs}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _output(one: Output, nullable: str) -> Json:
    if one.type == "object":  # the probabilities of classes, or whatever a model answers
        numbers = {"type": "object", "additionalProperties": _number(nullable)}
        return numbers if one.name == "probabilities" else {}
    return _number(nullable) if one.type == "number" else {"type": one.type}


def _number(nullable: str) -> Json:
    return {"type": "number", nullable: True} if nullable else {"type": ["number", "null"]}


def failure() -> Json:
    """Why there is no answer."""
    why = {
        "type": "object",
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        "required": ["code", "message"],
    }
    return {"type": "object", "properties": {"error": why}, "required": ["error"]}


def components(settings: Settings) -> Json:
    """The named schemas of rows and answers in a replica's OpenAPI document."""
    answers = {"type": "array", "items": {"$ref": "#/components/schemas/Answer"}}
    schemas: Json = {"Answer": answer(settings), "Answers": answers, "Error": failure()}
    return schemas | (_rows(settings.inputs) if settings.inputs is not None else {})


def _rows(inputs: Sequence[Input]) -> Json:
    rows = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}
    matrix = {"type": "array", "items": {"type": "array", "minItems": len(inputs), "maxItems": len(inputs)}}
    columns = {one.name: {"type": "array", "items": _column(one, "")} for one in inputs}
    names = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
    either = {"anyOf": [{"$ref": "#/components/schemas/Rows"}, {"$ref": "#/components/schemas/Matrix"}]}
    table = {"columns": names, "data": {"type": "array", "items": {"type": "array"}}}
    return {
        "Row": row(inputs),
        "Rows": rows,
        "Matrix": matrix | {"description": "Rows as lists of values, in the order of the inputs."},
        "Columns": {
            "type": "object",
            "properties": columns,
            "required": [one.name for one in inputs if not one.nullable],
        },
        "Split": {"type": "object", "properties": table, "required": list(table)},
        "Wrapped": {"type": "object", "properties": {"data": either}, "required": ["data"]},
    }
