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


def request(package: str) -> dict[str, Any] | None:
    """The example row, name -> value; None where the package has none, as while it is being made."""
    try:
        content = (Path(package) / SIGNATURE).read_bytes()
        return msgspec.json.decode(content, type=_Signature).example.request
    except (OSError, msgspec.DecodeError):
        return None
