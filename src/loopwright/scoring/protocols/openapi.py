"""What a replica takes and answers, as an OpenAPI 3.1 document: /openapi.json, which the page at /docs reads too.

Made of the replica's settings and the package's example. Specification: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

from collections.abc import Mapping

from loopwright.scoring.protocols import body_schemas
from loopwright.scoring.protocols.body_schemas import Json
from loopwright.scoring.settings import Settings

_JSON = "application/json"
_OPEN = (
    "/healthz",
    "/readyz",
    "/ping",
    "/v2/health/live",
    "/v2/health/ready",
)  # what the gateway asks no key for
# What every POST may answer beside 200, and where the shape of it is said.
_REFUSALS = {
    "400": "The body cannot be read.",
    "408": "The body was not there in time.",
    "413": "The body is larger than may be.",
    "415": "The body's type or encoding is not taken.",
    "422": "A row lacks an input, or has one of a wrong type: field, row, found and expected say which.",
    "500": "The model failed on this request; the log explains the id.",
    "503": "Too much to do just now, or not ready: try again after Retry-After seconds.",
    "504": "There was no answer in time.",
}


def render(settings: Settings, example: Json | None, prefix: str = "", keyed: bool = False) -> Json:
    """The OpenAPI document; `prefix` is what clients write before a path, `keyed` whether they need a key.

    `example` is the package's: {"request": ..., "response": ...}, or None where it has none.
    """
    document: Json = {
        "openapi": "3.1.0",
        "info": info(settings),
        "servers": [{"url": prefix or "/"}],
        "paths": _paths(settings, example),
        "components": {"schemas": body_schemas.components(settings)},
    }
    if keyed:
        _lock(document["paths"])
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"key": []}]
    return document


def _lock(paths: Json) -> None:
    """Say of each path whether it needs a key."""
    content = {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    refused = {"401": {"description": "No valid key was sent.", "content": content}}
    for path, operations in paths.items():
        for operation in operations.values():
            if path in _OPEN:
                operation["security"] = []
            else:
                operation["responses"] = operation["responses"] | refused


def info(settings: Settings) -> Json:
    """What a document says of itself."""
    version = settings.version or settings.revision
    return {
        "title": settings.workload,
        "version": version,
        "description": f"Model {version} as Loopwright serves it.",
    }


def _paths(settings: Settings, example: Json | None) -> Json:
    paths: Json = {"/score": {"post": _score(settings, example)}}
    if settings.inputs is not None:
        paths |= _oip_paths(settings) | _mlflow_paths()
    for path, what in {
        "/healthz": "Whether the replica lives",
        "/readyz": "Whether the model can answer",
        "/ping": "Whether the model can answer, as MLflow asks",
    }.items():
        paths[path] = {"get": _get(path, what, failing="503")}
    paths["/version"] = {"get": _get("/version", "The version of the server")}
    return paths


def _score(settings: Settings, example: Json | None) -> Json:
    body: Json = {"schema": {}}
    if settings.inputs is not None:
        forms = ("Row", "Rows", "Wrapped", "Columns")
        body = {"schema": {"anyOf": [{"$ref": f"#/components/schemas/{form}"} for form in forms]}}
    answer: Json = {"schema": {}}
    if settings.outputs is not None:
        one = {"$ref": "#/components/schemas/Answer"}
        answer = {"schema": {"anyOf": [one, {"type": "array", "items": one}]}}
    if example:
        body["example"], answer["example"] = example["request"], example["response"]
    content = {_JSON: body}
    if settings.inputs is not None:
        content["text/csv"] = {"schema": {"type": "string"}}
    return {
        "operationId": "score",
        "summary": "Ask the model: one row, a list of rows, columns, or CSV",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {"description": "The answer, in the order of the rows.", "content": {_JSON: answer}}
        }
        | _refusals("Error"),
    }


def _oip_paths(settings: Settings) -> Json:
    model = f"/v2/models/{settings.workload}"
    described = {
        "/v2": "The server, as the Open Inference Protocol asks",
        "/v2/health/live": "Whether the server lives",
        "/v2/health/ready": "Whether the server can answer",
        model: "The model's inputs and outputs",
        f"{model}/ready": "Whether the model can answer",
    }
    paths: Json = {path: {"get": _get(path, what, failing="503")} for path, what in described.items()}
    paths[f"{model}/infer"] = {
        "post": {
            "operationId": "infer",
            "summary": "Ask the model with tensors (Open Inference Protocol v2)",
            "requestBody": _body("InferRequest"),
            "responses": _answered("InferResponse") | _refusals("InferError"),
        }
    }
    return paths


def _mlflow_paths() -> Json:
    return {
        "/invocations": {
            "post": {
                "operationId": "invocations",
                "summary": "Ask the model as MLflow's clients do",
                "requestBody": _body("Invocation"),
                "responses": _answered("Predictions") | _refusals("InvocationError"),
            }
        }
    }


def _body(schema: str) -> Json:
    return {"required": True, "content": {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _answered(schema: str) -> Json:
    content = {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"200": {"description": "The answer.", "content": content}}


def _refusals(schema: str) -> Json:
    content = {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {status: {"description": what, "content": content} for status, what in _REFUSALS.items()}


def _get(path: str, what: str, failing: str = "") -> Json:
    responses: Mapping[str, Json] = {"200": {"description": "Yes." if failing else "It."}}
    more = {failing: {"description": "Not now."}} if failing else {}
    name = path.strip("/").replace("/", "_")
    return {"operationId": name, "summary": what, "responses": {**responses, **more}}
