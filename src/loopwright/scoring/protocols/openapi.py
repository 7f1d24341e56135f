"""What a replica takes and answers, as an OpenAPI 3.1 document: /openapi.json, which the page at /docs reads too.

Made of the replica's settings and the package's example. Specification: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

from loopwright.scoring.protocols import body_schemas, operations, protocol_schemas
from loopwright.scoring.protocols.body_schemas import Json
from loopwright.scoring.settings import Settings

# What the gateway asks no key for.
OPEN = ("/", "/healthz", "/readyz", "/ping", "/health", "/docs", "/v2/health/live", "/v2/health/ready")
_FEEDBACK = "/feedback"
_KEY: list[Json] = [{"key": []}, {"key_header": []}]
_FEEDBACK_KEY: list[Json] = [{"feedback_key": []}, {"feedback_key_header": []}]


def render(
    settings: Settings, example: Json | None, prefix: str = "", keyed: bool = False, raw: bool = False
) -> Json:
    """The OpenAPI document.

    `example` is the package's: {"request": ..., "response": ...}, or None where it has none; `prefix` what clients write
    before a path, empty where they come past the gateway; `keyed` whether they need a key; `raw` whether a script takes
    the whole request and answers as it likes.
    """
    paths = operations.paths(settings, example, raw=raw, public=bool(prefix))
    schemas = body_schemas.components(settings) | protocol_schemas.components(settings)
    document: Json = {
        "openapi": "3.1.0",
        "info": info(settings),
        "servers": [{"url": prefix or "/"}],
        "paths": paths,
        "components": {"schemas": schemas},
    }
    if keyed:
        _lock(document)
    if prefix and _FEEDBACK in paths:  # which takes a key of its own, also where nothing else takes any
        _need(paths[_FEEDBACK], _FEEDBACK_KEY)
        document["components"].setdefault("securitySchemes", {}).update(_schemes("feedback_key"))
    return document


def info(settings: Settings) -> Json:
    """What a document says of itself."""
    version = settings.version or settings.revision
    return {
        "title": settings.workload,
        "version": version,
        "description": f"Model {version} as Loopwright serves it.",
    }


def _lock(document: Json) -> None:
    """Say of each path whether it needs a key."""
    document["security"] = _KEY
    document["components"]["securitySchemes"] = _schemes("key")
    for path, item in document["paths"].items():
        if path in OPEN:
            for operation in operations.of(item):
                operation["security"] = []
        else:
            _need(item, None)


def _need(item: Json, keys: list[Json] | None) -> None:
    for operation in operations.of(item):
        refused = {"description": "No valid key was sent.", "content": operations.json_of("Error")}
        operation["responses"]["401"] = refused
        if keys is not None:
            operation["security"] = keys


def _schemes(name: str) -> Json:
    """Both ways to send a key."""
    return {
        name: {"type": "http", "scheme": "bearer"},
        f"{name}_header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    }
