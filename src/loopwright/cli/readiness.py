"""How an environment's replicas are, in a few words; for `status` and the end of `up`."""

from __future__ import annotations

from typing import Any


def readiness(serving: dict[str, Any]) -> str:
    """Such as "2 of 2 replicas ready", or "0 of 0 replicas ready (scaled to zero)"."""
    told = f"{serving['ready']} of {serving['wanted']} replicas ready"
    if serving.get("held"):
        return f"{told}, {serving['held']} requests wait for one"
    return f"{told} (scaled to zero)" if serving.get("at_zero") else told
