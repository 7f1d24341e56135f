"""Values as MessagePack can hold them: for the rare ones that it cannot, so that one of them does not cost the others."""

from __future__ import annotations

from typing import Any

_LEAST, _GREATEST = -(2**63), 2**64 - 1


def plain(value: Any) -> Any:
    """The value where it is plain, else what is nearest: integers beyond 64 bits as text, other text as UTF-8 can have it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return int(value) if _LEAST <= value <= _GREATEST else hex(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, dict):
        return {plain(str(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return plain(value.item()) if hasattr(value, "item") else plain(str(value))
