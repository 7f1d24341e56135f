"""The JSON Schema of loopwright.yaml, for editors and other tools. What the loader accepts, it accepts."""

from __future__ import annotations

from typing import Any

from loopwright.spec.models import Workload

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema, in draft 2020-12. It is about single fields; how fields fit together only the loader knows."""
    schema = Workload.model_json_schema(by_alias=True, mode="validation")
    _close(schema)
    return {"$schema": DIALECT, "title": "loopwright.yaml"} | {
        key: part for key, part in schema.items() if key != "title"
    }


def _close(schema: object) -> None:
    """Names that have a pattern are the only ones; the generator states the pattern and leaves the door open."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema["additionalProperties"] = False
        for part in schema.values():
            _close(part)
    elif isinstance(schema, list):
        for part in schema:
            _close(part)
