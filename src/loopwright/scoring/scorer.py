"""What turns a body into an answer: the one seam between the front and a model.

`WorkerPool` scores with user code in processes of its own. A compiled model, which needs none, will be another.
"""

from __future__ import annotations

from typing import Protocol


class Scorer(Protocol):
    """Started once, asked often, stopped once; its caller bounds how often at once and for how long."""

    @property
    def ready(self) -> bool:
        """Whether it can score now."""

    @property
    def message(self) -> str:
        """Why it is not ready, or what is wrong although it is; empty where all is well."""

    async def score(self, body: bytes) -> bytes:
        """The answer, as JSON. Cancelling drops the work if it has not begun, else its answer; raises Refusal."""
        ...

    async def run(self) -> str:
        """Load the model and keep it ready; returns only when it never will be, with the reason."""
        ...

    def abandon(self) -> None:
        """Answer what is being scored with Draining, at once."""

    async def stop(self, patience: float) -> None:
        """Free everything; after `patience` seconds by force."""
