"""The shapes of bodies besides /score's, as JSON Schema: those of the protocols, of feedback and of health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loopwright.scoring.protocols.body_schemas import Json
from loopwright.scoring.settings import Settings

_STRING: Json = {"type": "string"}
_TRUTH: Json = {"type": "boolean"}
_ANY: Json = {"type": "object"}
_INTEGERS: Json = {"type": "array", "items": {"type": "integer"}}
_SCALAR: Json = {"type": ["string", "number", "boolean"]}
# An Open Inference tensor, without its elements.
_TENSOR: Mapping[str, Any] = {"name": _STRING, "datatype": _STRING, "shape": _INTEGERS}


def components(settings: Settings) -> Json:
    """The named schemas, of what is offered with these settings."""
    schemas = {
        "Document": _ANY,
        "Health": _object({"status": _STRING}),
        "Readiness": _object({"ready": _TRUTH, "message": _STRING}),
    }
    if settings.observations is not None:
        schemas |= _of_feedback()
    if settings.inputs is not None:
        schemas |= _of_tensors() | _of_servers() | _of_mlflow()
    return schemas


def _object(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> Json:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def _listed(items: Json) -> Json:
    return {"type": "array", "items": items}


def _named(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _of_feedback() -> Json:
    event = _object(
        {},
        {
            "id": _STRING | {"description": "The x-request-id that the answer had.", "minLength": 1},
            "client_id": _STRING
            | {"description": "What the client had sent as x-request-id.", "minLength": 1},
            "row": {"type": "integer", "minimum": 0, "description": "Of a request with several, from 0."},
            "label": _SCALAR | {"description": "What was to be predicted."},
            "event": _STRING | {"minLength": 1},
            "value": _SCALAR,
            "time": {"type": ["string", "number"], "description": "ISO 8601, or seconds since 1970."},
        },
    )
    named = {"oneOf": [{"required": ["id"]}, {"required": ["client_id"]}]}
    said = {"anyOf": [{"required": ["label"]}, {"required": ["event"]}]}
    return {
        "Event": event | {"additionalProperties": False, "allOf": [named, said]},
        "Events": _listed(_named("Event")) | {"minItems": 1},
        "Kept": _object({"kept": {"type": "integer"}}),
    }


def _of_tensors() -> Json:
    tensor = _object(_TENSOR, {"parameters": _ANY, "data": {"type": "array"}})
    output = _object({"name": _STRING}, {"parameters": _ANY})
    optional = {"id": _STRING, "parameters": _ANY, "outputs": _listed(output)}
    answered = {"model_name": _STRING, "outputs": _listed(tensor)}
    return {
        "InferRequest": _object({"inputs": _listed(tensor)}, optional),
        "InferResponse": _object(answered, {"model_version": _STRING, "id": _STRING}),
        "InferError": _object({"error": _STRING}),
    }


def _of_servers() -> Json:
    tensors = _listed(_object(_TENSOR))
    model = {"name": _STRING, "versions": _listed(_STRING), "platform": _STRING}
    return {
        "ServerMetadata": _object({"name": _STRING, "version": _STRING, "extensions": _listed(_STRING)}),
        "ModelMetadata": _object(model | {"inputs": tensors, "outputs": tensors}),
        "Liveness": _object({"live": _TRUTH}),
        "ServerReadiness": _object({"ready": _TRUTH}),
        "ModelReadiness": _object({"name": _STRING, "ready": _TRUTH}),
    }


def _of_mlflow() -> Json:
    rows, columns, matrix = _named("Rows"), _named("Columns"), _named("Matrix")
    any_of = {"anyOf": [rows, columns, matrix]}
    forms = {
        "dataframe_split": _named("Split"),
        "dataframe_records": rows,
        "instances": any_of,
        "inputs": any_of,
    }
    return {
        "Invocation": {"oneOf": [_object({name: schema}) for name, schema in forms.items()]},
        "Predictions": _object({"predictions": {"type": "array"}}),
        "InvocationError": _object({"error_code": _STRING, "message": _STRING}),
    }
