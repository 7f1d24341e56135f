"""What a request needs of this command's own environment: asked for by the control plane, and nothing else is sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any


def with_environment(post: Callable[[dict[str, Any]], Any], wish: dict[str, Any]) -> Any:
    """The answer to a request; where the first one says what it needs, it is asked again with that."""
    answer = post(wish)
    needs = answer.get("needs") if isinstance(answer, dict) else None
    if needs is None:
        return answer
    prefixes = tuple(needs["prefixes"])
    found = {
        name: value
        for name, value in os.environ.items()
        if name in needs["names"] or (prefixes and name.startswith(prefixes))
    }
    return post(wish | {"environment": found})
