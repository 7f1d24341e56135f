"""The paths of a replica as OpenAPI describes them: what each takes, and every status that it may answer with.

A refusal is of the replica, in its protocol's words, or of the gateway, whose are the same on every path.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from loopwright.scoring.protocols import examples
from loopwright.scoring.protocols.body_schemas import Json
from loopwright.scoring.settings import Settings

_JSON, _TEXT, _HTML, _CSV = "application/json", "text/plain", "text/html", "text/csv"
_BINARY = "application/octet-stream"
_METHODS = ("get", "post")
_STRING: Json = {"schema": {"type": "string"}}
# What any path may answer beside what it is there for: most of it is the gateway's.
_ANYWHERE = {
    "400": "The request cannot be read.",
    "408": "The request was not there in time.",
    "431": "A header is too long, or all of them together are.",
    "500": "The replica failed on this request; its log explains the id.",
    "503": "Too much to do just now, or nobody is ready: try again after Retry-After seconds.",
    "504": "There was no answer in time.",
}
# What a body may be answered with besides.
_OF_BODIES = {
    "413": "The body is larger than may be.",
    "415": "The body's type or encoding is not taken.",
    "422": "Something lacks, or is of a wrong type: the message says where, what was found and what was expected.",
}
_RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_ID = {"x-request-id": {"description": "The server's own id of this request.", "schema": {"type": "string"}}}


class Page(NamedTuple):
    """What answers by GET without asking the model."""

    summary: str
    content: Json  # media type -> schema
    unready: Json | None = None  # the content of 503 where that is an answer too, not a failure


def paths(settings: Settings, example: Json | None, *, raw: bool, public: bool) -> Json:
    """All paths that a client reaches; `public` through the gateway, which keeps some to itself."""
    found: Json = {"/score": _score(settings, example, raw)}
    if settings.observations is not None:
        found["/feedback"] = {"post": _feedback(example)}
    if settings.inputs is not None:
        found |= _open_inference(settings, example)
        found["/invocations"] = {"post": _invocations(settings, example)}
    pages = _PAGES if public else _PAGES | _PRIVATE
    return found | {path: {"get": _get(path, page)} for path, page in pages.items()}


def of(item: Json) -> Iterable[Json]:
    """The operations of a path."""
    return [item[method] for method in _METHODS if method in item]


def json_of(*schemas: str) -> Json:
    """Content that is JSON of one of the named schemas."""
    named = [{"$ref": f"#/components/schemas/{schema}"} for schema in schemas]
    return {_JSON: {"schema": named[0] if len(named) == 1 else {"anyOf": named}}}


_PAGES = {
    "/": Page("Whether the replica lives, as Azure's inference server says it", {_HTML: _STRING}),
    "/healthz": Page("Whether the replica lives", json_of("Health")),
    "/readyz": Page(
        "Whether the model can answer, or why not", json_of("Readiness"), json_of("Readiness", "Error")
    ),
    "/ping": Page("Whether the model can answer, as MLflow asks", {_TEXT: _STRING}, {_TEXT: _STRING}),
    "/health": Page("Whether the model can answer, as MLflow asks", {_TEXT: _STRING}, {_TEXT: _STRING}),
    "/version": Page("The version of the server, as MLflow asks", {_TEXT: _STRING}),
    "/openapi.json": Page("This document", json_of("Document")),
    "/swagger.json": Page("Swagger 2.0 of /score, as Azure's inference server has it", json_of("Document")),
    "/docs": Page("A page to try the model on", {_HTML: _STRING}),
}
_PRIVATE = {
    "/metrics": Page("Metrics, in Prometheus' text format", {_TEXT: _STRING}),
    "/stats": Page("How the replica stands", json_of("Document")),
}


def _score(settings: Settings, example: Json | None, raw: bool) -> Json:
    answer = json_of("Answer", "Answers") if settings.outputs is not None else {_JSON: {"schema": {}}}
    if example:
        answer[_JSON]["example"] = example["response"]
    post: Json = {
        "operationId": "score",
        "summary": "Ask the model: one row, a list of rows, columns, or CSV",
        "requestBody": {"required": True, "content": _rows(settings, example)},
        "responses": _responses("The answer, in the order of the rows.", answer, "Error", bodies=True),
    }
    if not settings.entry:
        return {"post": post}
    get: Json = {
        "operationId": "score_by_parameters",
        "summary": "Ask the model, the parameters of the URL being the row",
        "parameters": _parameters(settings, example),
        "responses": _responses("The answer.", answer, "Error", bodies=True),
    }
    if raw:
        for operation in (get, post):
            operation["responses"]["default"] = {"description": "Whatever the script answers."}
    return {"post": post, "get": get}


def _rows(settings: Settings, example: Json | None) -> Json:
    """What /score takes."""
    if settings.inputs is None:
        content: Json = {_JSON: {"schema": {}}}
    else:
        names = {one.name for one in settings.inputs}
        wrapped = () if "data" in names else ("Wrapped",) if "columns" in names else ("Wrapped", "Split")
        content = json_of("Row", "Rows", *wrapped, "Columns")
        content[_CSV] = {"schema": {"type": "string"}}
    if example:
        content[_JSON]["example"] = example["request"]
    if example and _CSV in content:
        content[_CSV]["example"] = examples.csv(example["request"])
    return content


def _parameters(settings: Settings, example: Json | None) -> list[Json]:
    if settings.inputs is None:
        anything: Json = {"type": "object", "additionalProperties": True}
        return [{"name": "row", "in": "query", "style": "form", "explode": True, "schema": anything}]
    given = (example or {}).get("request", {})
    return [
        {
            "name": one.name,
            "in": "query",
            "required": not one.nullable,
            "schema": {"type": one.type},
            **({"example": given[one.name]} if given.get(one.name) is not None else {}),
        }
        for one in settings.inputs
    ]


def _feedback(example: Json | None) -> Json:
    content = json_of("Event", "Events")
    content[_JSON]["example"] = examples.feedback(example)
    return {
        "operationId": "feedback",
        "summary": "Say what requests were really about",
        "requestBody": {"required": True, "content": content},
        "responses": _responses("They are kept.", json_of("Kept"), "Error", bodies=True),
    }


def _open_inference(settings: Settings, example: Json | None) -> Json:
    model = f"/v2/models/{settings.workload}"
    ready = json_of("ModelReadiness")
    found = {
        "/v2": Page("The server, as the Open Inference Protocol asks", json_of("ServerMetadata")),
        "/v2/health/live": Page("Whether the server lives", json_of("Liveness")),
        "/v2/health/ready": Page(
            "Whether the server can answer", json_of("ServerReadiness"), json_of("ServerReadiness", "Error")
        ),
        model: Page("The model's inputs and outputs", json_of("ModelMetadata")),
        f"{model}/ready": Page(
            "Whether the model can answer", ready, json_of("ModelReadiness", "InferError", "Error")
        ),
    }
    made: Json = {path: {"get": _get(path, page)} for path, page in found.items()}
    made[f"{model}/infer"] = {"post": _infer("infer", settings, example)}
    name, _, version = (settings.version or "").rpartition(":")
    if name:
        made |= _of_version(model, version, found, settings, example)
    return made


def _of_version(
    model: str, version: str, found: dict[str, Page], settings: Settings, example: Json | None
) -> Json:
    """The model's paths for one version: only that which serves is there."""
    below = f"{model}/versions/{{version}}"
    parameter = {"name": "version", "in": "path", "required": True, "schema": {"type": "string"}}
    made: Json = {
        below: {"get": _get(below, found[model])},
        f"{below}/ready": {"get": _get(f"{below}/ready", found[f"{model}/ready"])},
        f"{below}/infer": {"post": _infer("infer_version", settings, example)},
    }
    another = {
        "description": "Another version serves.",
        "content": json_of("InferError", "Error"),
    }
    for item in made.values():
        item["parameters"] = [parameter | {"example": version}]
        for operation in of(item):
            operation["responses"]["404"] = another
    return made


def _infer(operation: str, settings: Settings, example: Json | None) -> Json:
    content = json_of("InferRequest")
    if example:
        content[_JSON]["example"] = examples.tensors(settings.inputs or (), example["request"])
    content[_BINARY] = {"schema": {"type": "string", "format": "binary"}}
    length: Json = {
        "name": "Inference-Header-Content-Length",
        "in": "header",
        "description": "How many bytes of the body are JSON, where tensors in binary follow it.",
        "schema": {"type": "integer", "minimum": 1},
    }
    answer = json_of("InferResponse") | {_BINARY: {"schema": {"type": "string", "format": "binary"}}}
    return {
        "operationId": operation,
        "summary": "Ask the model with tensors (Open Inference Protocol v2)",
        "parameters": [length],
        "requestBody": {"required": True, "content": content},
        "responses": _responses("The outputs.", answer, "InferError", "Error", bodies=True),
    }


def _invocations(settings: Settings, example: Json | None) -> Json:
    content = json_of("Invocation")
    content[_CSV] = {"schema": {"type": "string"}}
    if example:
        content[_JSON]["example"] = examples.split(example["request"])
        content[_CSV]["example"] = examples.csv(example["request"])
    return {
        "operationId": "invocations",
        "summary": "Ask the model as MLflow's clients do",
        "requestBody": {"required": True, "content": content},
        "responses": _responses(
            "The predictions.", json_of("Predictions"), "InvocationError", "Error", bodies=True
        ),
    }


def _responses(what: str, content: Json, *errors: str, bodies: bool = False) -> Json:
    """200 and every refusal, whose shape is one of `errors`."""
    refused = _ANYWHERE | (_OF_BODIES if bodies else {})
    responses: Json = {"200": {"description": what, "headers": _ID, "content": content}}
    for status, why in sorted(refused.items()):
        headers = {"headers": _RETRY} if status == "503" else {}
        responses[status] = {"description": why, **headers, "content": json_of(*errors)}
    return responses


def _get(path: str, page: Page) -> Json:
    name = path.strip("/").translate(str.maketrans("/.", "__", "{}")) or "alive"
    errors = ("InferError", "Error") if path.startswith("/v2") else ("Error",)
    responses = _responses("It.", page.content, *errors)
    if page.unready is not None:
        gateways = json_of("Error") if _JSON not in page.unready else {}
        responses["503"]["content"] = page.unready | gateways
        responses["503"]["description"] = "Not now."
    return {"operationId": name, "summary": page.summary, "responses": responses}
