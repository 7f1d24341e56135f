"""What comes of one change's actions, as facts: each is recorded once, however often the action is performed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from loopwright.errors import LoopwrightError
from loopwright.loop.case import Case, Services
from loopwright.loop.places import with_places
from loopwright.loop.steps import Step

US = "loopwright"  # the actor of what the controllers do by themselves


class Recorder:
    """Appends facts of one change's steps."""

    def __init__(self, services: Services, case: Case, clock: Callable[[], float]) -> None:
        self._services = services
        self._book = services.book
        self._case = case
        self._clock = clock

    def record(self, kind: str, key: str, body: dict[str, Any], actor: str = US) -> None:
        self._book.append_once(kind, self._case.change.workload, key, body, actor, self._clock())

    def started(self, step: Step, inputs: str, **more: Any) -> None:
        change = self._case.change
        body = {"change": change.id, "step": step.name, "inputs": inputs} | more
        self.record("step.started", f"{change.id}/{step.name}/{more.get('job', '')}", body)

    def succeed(
        self, step: Step, inputs: str, output: dict[str, Any], job: str = "", actor: str = US
    ) -> None:
        change = self._case.change
        body = {"change": change.id, "step": step.name, "inputs": inputs, "output": output, "job": job}
        self.record("step.succeeded", job or f"{change.workload}.{step.name}.{inputs[:32]}", body, actor)

    def fail(self, step: Step, inputs: str, error: LoopwrightError, actor: str = US) -> None:
        change = self._case.change
        message, places = with_places(error, change, self._services.store)
        body = {
            "change": change.id,
            "step": step.name,
            "inputs": inputs,
            "code": error.code,
            "message": message,
            "places": [asdict(place) for place in places],
        } | ({"clean_up": True} if step.always else {})
        self.record("step.failed", f"{change.id}/{step.name}", body, actor)
