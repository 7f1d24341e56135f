"""The package's example request: what a scorer is warmed up with, and what protocols show as an example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

SIGNATURE = "signature.json"


class _Example(msgspec.Struct, frozen=True):
    request: dict[str, Any] | None = None


class _Signature(msgspec.Struct, frozen=True):
    example: _Example = _Example()


def whole(package: str) -> dict[str, Any] | None:
    """The example request with the answer it got: {"request": ..., "response": ...}; None where the package has none."""
    try:
        content = msgspec.json.decode((Path(package) / SIGNATURE).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return None
    found = content.get("example")
    return found if isinstance(found, dict) and {"request", "response"} <= found.keys() else None


def request(package: str) -> dict[str, Any] | None:
    """The example row, name -> value; None where the package has none, as while it is being made."""
    try:
        content = (Path(package) / SIGNATURE).read_bytes()
        return msgspec.json.decode(content, type=_Signature).example.request
    except (OSError, msgspec.DecodeError):
        return None
