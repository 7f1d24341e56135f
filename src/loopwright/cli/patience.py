"""Commands that outlive a control plane: one that is killed comes back, and what it was asked for with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from loopwright.cli.client import Client, connect, lock_is_held, stopped_on_purpose
from loopwright.errors import ConflictError, TemporaryError
from loopwright.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Callable

AGAIN = 0.1  # seconds before another try
ABSENCE = 90.0  # seconds that the control plane may be away: the agent starts it again
_MOST_RETURNS = (
    100  # times that it may come back without an answer: after that, the question itself is to blame
)


def persist(client: Client, ask: Callable[[], Any]) -> Any:
    """Ask again while the control plane is away; only for what may be asked twice, since an answer can be lost.

    Raises ConflictError where everything was stopped on purpose, TemporaryError where it stays away.
    """
    deadline, seen = time.monotonic() + ABSENCE, {0}
    while True:
        try:
            return ask()
        except TemporaryError:
            if time.monotonic() > deadline or len(seen) > _MOST_RETURNS:
                raise
            _bring_back(client.state)
        back = (client.health() or {"pid": 0})["pid"]
        if back not in seen:  # it was away no longer, even if it was killed again before it could answer
            deadline = time.monotonic() + ABSENCE
            seen.add(back)


def _bring_back(state: StateFolder) -> None:
    """Wait for a control plane that starts or ends; start one where none lives, unless everything was to be stopped."""
    if lock_is_held(state):
        time.sleep(AGAIN)
    elif stopped_on_purpose(state):
        raise ConflictError(
            "Everything was stopped by `loopwright down` meanwhile. `loopwright up` takes up again what was asked for."
        )
    else:
        connect(state)
