"""What it takes to answer a body, whatever protocol it came by: check, admit, score within the time, and count.

The protocols (`app`) are thin edges around this.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from loopwright.scoring.admission import Admission
from loopwright.scoring.refusals import Draining, Late, NotReady
from loopwright.scoring.scorer import Scorer
from loopwright.scoring.settings import Settings
from loopwright.scoring.telemetry import Telemetry
from loopwright.scoring.validation import Validator


@dataclass(frozen=True)
class Stats:
    """How the replica stands, for whoever scales and replaces it."""

    ready: bool
    in_flight: int
    queued: int
    completed: int
    message: str


class Service:
    """The transport-neutral core of a replica."""

    def __init__(self, settings: Settings, scorer: Scorer, telemetry: Telemetry) -> None:
        self.limits = settings.limits
        self._scorer = scorer
        self._telemetry = telemetry
        self._admission = Admission(settings.limits)
        self._validator = Validator(settings.inputs) if settings.inputs is not None else None
        self._was_ready = False
        self._completed = 0
        self.draining = False  # not ready any more; what still comes is answered
        self.closed = False  # what still comes is sent away

    def check(self) -> None:
        """Raise Busy where a request need not even be read."""
        if self.closed:
            raise Draining("This replica is ending. Try again.")
        if not self._was_ready:
            self._was_ready = self._scorer.ready
            if not self._was_ready:
                raise NotReady(f"This replica is not ready: {self._scorer.message}.")
        self._admission.check()

    async def score(self, body: bytes) -> bytes:
        """The answer to a body, as JSON; raises Refusal."""
        if self._validator is not None:
            self._validator.check(body)
        waited = await self._admission.enter()
        self._telemetry.queue_wait_seconds.observe(waited)
        try:
            async with asyncio.timeout(self.limits.timeout):
                return await self._scorer.score(body)
        except TimeoutError as error:
            raise Late(f"No answer within {self.limits.timeout:g} s.") from error
        finally:
            self._admission.leave()

    def finished(self, status: int, seconds: float) -> None:
        """Every answered scoring request passes here once, and only here: metrics now, observations too when they come."""
        self._completed += 1
        self._telemetry.requests.add(str(status))
        self._telemetry.request_seconds.observe(seconds)

    def stats(self) -> Stats:
        """How the replica stands now."""
        ready = self._scorer.ready and not self.draining
        message = "draining: it was asked to stop" if self.draining else self._scorer.message
        return Stats(ready, self._admission.inside, self._admission.queued, self._completed, message)

    def metrics(self, pids: dict[str, int]) -> bytes:
        """The text of /metrics."""
        return self._telemetry.render(self._admission.queued, self._admission.inside, pids)

    def abandon(self) -> None:
        """Answer at once whatever is still waiting or being scored; the time to end has come."""
        self.closed = True
        self._admission.abandon()
        self._scorer.abandon()
