"""Why a request failed, for the log: the client gets the id, whoever looks after the model the rest."""

from __future__ import annotations

from loopwright.scoring.context import Context
from loopwright.scoring.logs import Log
from loopwright.scoring.refusals import Failed

_MOST_REMEMBERED = 100


class FailureLog:
    """Explains failures of a model's own; shared by the edges of a replica."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._traced: set[str] = set()  # errors whose traceback the log has already

    def explain(self, context: Context, failed: Failed) -> None:
        """Log why; a traceback only the first time, since a broken script fails on every request."""
        fresh = (
            failed.traceback and failed.reason not in self._traced and len(self._traced) < _MOST_REMEMBERED
        )
        more = {"traceback": failed.traceback} if fresh else {}
        if fresh:
            self._traced.add(failed.reason)
        if context.trace:
            more["traceparent"] = context.trace
        self._log.error("score-failed", id=context.id, error=failed.reason, **more)
