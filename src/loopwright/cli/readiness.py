"""How an environment's replicas are, in a few words; for `status` and the end of `up`."""

from __future__ import annotations

from typing import Any


def readiness(serving: dict[str, Any]) -> str:
    """Such as "2 of 2 replicas ready", "0 of 0 replicas ready (scaled to zero)", or "brought up again"."""
    if not serving["wanted"] and not serving.get("at_zero"):
        return "no replicas yet: they are brought up again"
    told = f"{serving['ready']} of {serving['wanted']} replicas ready"
    if serving.get("held"):
        return f"{told}, {serving['held']} requests wait for one"
    return f"{told} (scaled to zero)" if serving.get("at_zero") else told
