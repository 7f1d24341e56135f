"""What turns a request into an answer: the one seam between the front and a model.

Two kinds. A `BodyScorer` is a script's `run(data)`: it takes a body and answers with JSON, one request at a time. A
`batching.Model` takes rows and answers with columns, those of several requests together: a compiled model in the front, or
`run_batch` and uncompiled models in workers. Both are `Scorer`s: started once, asked often, stopped once.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from loopwright.scoring.batching import Model


class Scorer(Protocol):
    """The life of either; its caller bounds how often it is asked at once and for how long."""

    @property
    def ready(self) -> bool:
        """Whether it can score now."""

    @property
    def message(self) -> str:
        """Why it is not ready, or what is wrong although it is; empty where all is well."""

    def pids(self) -> dict[str, int]:
        """The processes to be measured beside the front, by name."""
        ...

    async def run(self) -> str:
        """Load the model and keep it ready; returns only when it never will be, with the reason."""
        ...

    def abandon(self) -> None:
        """Answer what is being scored with Draining, at once."""

    async def stop(self, patience: float) -> None:
        """Free everything; after `patience` seconds by force."""


@runtime_checkable
class BodyScorer(Scorer, Protocol):
    """Answers bodies."""

    async def score(self, body: bytes) -> bytes:
        """The answer, as JSON. Cancelling drops the work if it has not begun, else its answer; raises Refusal."""
        ...


class RowScorer(Scorer, Model, Protocol):
    """Answers batches of rows."""
