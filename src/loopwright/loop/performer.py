"""How each action of the pipeline is done: on the engine, the store and the registry, with a fact for its outcome.

Every method may be called again after a crash in its middle, and then ends in the same state.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from loopwright.engines.base import JobStatus
from loopwright.errors import LoopwrightError, StepFailed, TemporaryError
from loopwright.loop.actions import Action, Ask, Call, End, Enter, Finish, Leave, Release, Settle, Start
from loopwright.loop.case import Case, Services
from loopwright.loop.pipeline import MOST_LOST
from loopwright.loop.recorder import Recorder
from loopwright.loop.releaser import Releaser


class Performer:
    """Performs one change's actions."""

    def __init__(self, services: Services, case: Case, clock: Callable[[], float] = time.time) -> None:
        self._services = services
        self._case = case
        self._recorder = Recorder(services, case, clock)
        self._releaser = Releaser(services, case, self._recorder, clock)

    def perform(self, action: Action) -> None:
        """Do it. A definite no is recorded as the step's failure; TemporaryError is the caller's to repeat."""
        if isinstance(action, End):
            self._recorder.record(action.kind, self._case.change.id, {})
            return
        if not (isinstance(action, Leave | Finish) or action.step.always) and self._case.view.halted(
            self._case.change.id
        ):
            return  # decided before it was cancelled, or before a newer change took its place
        try:
            self._dispatch(action)
        except TemporaryError:
            raise
        except LoopwrightError as error:
            self._recorder.fail(action.step, action.inputs, error)

    def fault(self, action: Action, error: Exception) -> None:
        """Record that an action failed for a reason that is no verdict."""
        if isinstance(action, End):
            return
        told = (
            error
            if isinstance(error, LoopwrightError)
            else StepFailed(f"A fault of Loopwright's own: {error!r}. The control plane's log has more.")
        )
        self._recorder.fail(action.step, action.inputs, told)

    def _dispatch(self, action: Start | Finish | Call | Ask | Settle | Release | Enter | Leave) -> None:
        match action:
            case Start():
                self._start(action)
            case Finish():
                self._finish(action)
            case Call():
                self._recorder.started(action.step, action.inputs)
                self._recorder.succeed(
                    action.step, action.inputs, action.step.call(self._case, self._services)
                )
            case Ask():
                self._ask(action)
            case Settle():
                self._settle(action)
            case Release():
                self._releaser.perform(action)
            case Enter():
                self._releaser.turn("release.asked", action)
            case Leave():
                self._releaser.restore(action.step, action.inputs)
                self._releaser.turn("release.withdrawn", action)

    def _start(self, action: Start) -> None:
        folder = self._services.job_folder(action.job)
        job = action.step.job(self._case, self._services, action.job, folder)
        self._recorder.started(action.step, action.inputs, job=action.job)
        self._services.engine.submit(job)

    def _finish(self, action: Finish) -> None:
        step, status, folder = action.step, action.status, self._services.job_folder(action.job)
        if status.state == "succeeded":
            output = step.result(self._case, self._services, action.job, folder)
            self._recorder.succeed(step, action.inputs, output, action.job)
        elif status.reason == "cancelled" or (_killed(status) and self._lost(action) < MOST_LOST):
            if status.reason == "cancelled":
                step.cancelled(self._case, self._services, action.job, folder)
            # Cancelled because nothing wanted it for a while; now something does, and another attempt is made.
            change = self._case.change
            body = {"change": change.id, "step": step.name, "inputs": action.inputs}
            kind = "cancelled" if status.reason == "cancelled" else "lost"
            self._recorder.record(f"job.{kind}", action.job, body)
        else:
            self._try_again(action, step.failed(self._case, self._services, action.job, folder, status))

    def _try_again(self, action: Finish, error: StepFailed) -> None:
        """Record the failure as one of several attempts; raises it where it was the last."""
        change, step = self._case.change, action.step
        if len(self._case.view.retries.get((change.id, step.name), ())) + 1 >= step.attempts:
            raise error
        body = {"change": change.id, "step": step.name, "inputs": action.inputs, "message": error.message}
        self._recorder.record("job.failed", action.job, body)

    def _lost(self, action: Finish) -> int:
        return self._case.view.lost[self._case.change.workload, action.step.name, action.inputs]

    def _ask(self, action: Ask) -> None:
        change, step, approval = self._case.change, action.step, action.approval
        rule = step.rule(self._case)
        body = {
            "change": change.id,
            "environment": step.environment,
            "inputs": action.inputs,
            "terms": step.inputs(self._case),
            "package": self._case.outputs["package"]["digest"],
            "version": self._case.outputs["register"]["version"],
            "count": rule.count,
            "before": action.before,
        }
        if action.void is not None:
            kind = "approval.expired" if action.void.expired else "approval.voided"
            self._recorder.record(kind, action.before, {"change": change.id, "reason": action.void.reason})
        self._recorder.started(step, action.inputs)
        self._recorder.record("approval.requested", approval, body)
        actor = self._case.view.automatic(change)
        if actor and rule.plain:
            decision = {"decision": "approve", "comment": "", "auto": True}
            self._recorder.record("approval.decided", approval, decision, actor)

    def _settle(self, action: Settle) -> None:
        no = next((fact for fact in action.decisions if fact.body["decision"] != "approve"), None)
        if no is None:
            comments = [fact.body["comment"] for fact in action.decisions if fact.body["comment"]]
            output = {
                "actor": " and ".join(dict.fromkeys(fact.actor for fact in action.decisions)),
                "comment": "; ".join(comments),
                "auto": any(fact.body["auto"] for fact in action.decisions),
            }
            self._recorder.succeed(action.step, action.inputs, output, action.approval)
            return
        comment = f": {no.body['comment']}" if no.body["comment"] else ""
        raise StepFailed(f"{no.actor} rejected the release to {action.step.environment}{comment}.")


def _killed(status: JobStatus) -> bool:
    """Whether it ended through no fault of its own: the machine went down, or someone sent SIGKILL, as the kernel does
    where memory is short. Loopwright's own kills (max_duration, memory) have reasons of their own."""
    return status.reason == "lost" or (status.reason == "signal" and status.exit_code == -signal.SIGKILL)
