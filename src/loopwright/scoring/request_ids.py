"""Our own ids of requests: short, and never the same twice, in no replica."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator


def request_ids() -> Iterator[str]:
    """An endless supply."""
    prefix = secrets.token_hex(6)
    return (f"{prefix}-{number:x}" for number in itertools.count(1))
