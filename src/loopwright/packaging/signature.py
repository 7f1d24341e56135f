"""What goes into a model and what comes out of it, as data: signature.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from loopwright.packaging.served import Served
from loopwright.scoring import Input


def render(
    inputs: Sequence[Input], request: Mapping[str, Any], response: Any, served: Served | None = None
) -> bytes:
    """The content of signature.json, the same bytes for the same values.

    A model without a script is named in it with its outputs: which of several files answers is part of what a package does.
    """
    named = {"model": served.model, "outputs": served.outputs} if served else {}
    content = {
        "inputs": [msgspec.to_builtins(one) for one in inputs],
        **{name: msgspec.to_builtins(value) for name, value in named.items()},
        "output": describe(response),
        "example": {"request": request, "response": response},
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=1)


def describe(value: Any) -> dict[str, Any]:
    """A JSON Schema of what a value is: types and names as found, and nothing of the values themselves.

    null says nothing about what else might stand there, so it is described as anything; so are the items of an empty
    list and of one with unlike items.
    """
    if isinstance(value, dict):
        return {
            "type": "object",
            "properties": {name: describe(part) for name, part in value.items()},
            "required": list(value),
        }
    if isinstance(value, list):
        kinds = [describe(item) for item in value]
        return (
            {"type": "array", "items": kinds[0]}
            if kinds and all(kind == kinds[0] for kind in kinds)
            else {"type": "array"}
        )
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"type": "boolean"}
    return {"type": "string" if isinstance(value, str) else "integer" if isinstance(value, int) else "number"}
