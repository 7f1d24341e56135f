"""/swagger.json of a scoring script in the version that is asked for, with what inference-schema's decorators say of it.

As Azure's inference server has it: `?version=` 2 (Swagger 2.0, what comes without it), 3 (OpenAPI 3.0) or 3.1. A script
whose samples cannot be told in a version, such as lists of mixed types in Swagger 2, has no document of it.
"""

from __future__ import annotations

from typing import Any

from loopwright.scoring.protocols.body_schemas import Json

_VERSIONS = {"2": "2.0", "2.0": "2.0", "3": "3.0", "3.0": "3.0", "3.1": "3.1"}
_OPENAPI = {"3.0": "3.0.3", "3.1": "3.1.0"}
_JSON = "application/json"


def render(swagger: Json, schema: Json | None, version: str) -> Json | str:
    """The document, from that of `swagger.render` and the script's own schema; or why there is none in that version."""
    offered = sorted(schema["versions"]) if schema else [*_OPENAPI, "2.0"]
    exact = _VERSIONS.get(version)
    if exact is None or exact not in offered:
        known = "not valid" if exact is None else "not supported for the scoring script"
        return f"Swagger version [{version[:20]}] is {known}. Supported versions: [{', '.join(sorted(offered))}]."
    definitions = dict(swagger["definitions"])
    if schema:
        definitions |= {"ServiceInput": schema["input"], "ServiceOutput": schema["output"]}
    if exact == "2.0":
        return swagger | {"definitions": definitions}
    paths = {
        path: {method: _operation(told) for method, told in methods.items()}
        for path, methods in swagger["paths"].items()
    }
    components = {"schemas": definitions, "securitySchemes": swagger["securityDefinitions"]}
    moved: Json = _moved({"paths": paths, "components": components})
    head = {"openapi": _OPENAPI[exact], "info": swagger["info"], "servers": [{"url": swagger["basePath"]}]}
    return head | moved


def _operation(told: Json) -> Json:
    """An operation of Swagger 2 as OpenAPI 3 has it: bodies are content of a media type."""
    kept = {name: value for name, value in told.items() if name not in ("parameters", "responses")}
    bodies = [one["schema"] for one in told.get("parameters", ()) if one["in"] == "body"]
    if bodies:
        kept["requestBody"] = {"required": True, "content": {_JSON: {"schema": bodies[0]}}}
    responses = {}
    for status, one in told["responses"].items():
        content = {"content": {_JSON: {"schema": one["schema"]}}} if "schema" in one else {}
        responses[status] = {"description": one["description"], **content}
    return kept | {"responses": responses}


def _moved(value: Any) -> Any:
    """The same with references to where OpenAPI 3 keeps schemas."""
    if isinstance(value, dict):
        return {name: _moved(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_moved(one) for one in value]
    if isinstance(value, str) and value.startswith("#/definitions/"):
        return value.replace("#/definitions/", "#/components/schemas/", 1)
    return value
