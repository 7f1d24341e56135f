"""What turns a request into an answer: the one seam between the front and a model.

Two kinds. A `ScriptScorer` is a scoring script in workers: it takes a body, or a whole request of HTTP, and answers with JSON
or a response, one request at a time; or it takes batches of rows. A `RowScorer` takes rows and answers with columns, those of
several requests together: a compiled model in the front, or any other in workers. Both are `Scorer`s: started once, asked
often, stopped once.
"""

from __future__ import annotations

from typing import Protocol

from loopwright.scoring.batching import Model
from loopwright.scoring.worker import Reply, Started


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


class ScriptScorer(Scorer, Model, Protocol):
    """Asks a script: for batches of rows as a model, else by bodies."""

    started: Started  # what the script takes, once it has come up

    async def ask(self, kind: int, body: bytes) -> Reply:
        """The reply to a body of that kind (see `worker_shim`). Cancelling drops the work if it has not begun, else its
        answer; raises Refusal."""
        ...


class RowScorer(Scorer, Model, Protocol):
    """Answers batches of rows."""
