"""Wait for what is to come, and not for luck."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 200.0  # seconds; on a machine that others use as well, what takes a moment may take a minute


def until(look: Callable[[], T], seconds: float = PATIENCE) -> T:
    """What `look` returns once that is true."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {look}"
        time.sleep(0.02)
    return found
