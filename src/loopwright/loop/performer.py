"""How each action of the pipeline is done: on the engine, the store and the registry, with a fact for its outcome.

Every method may be called again after a crash in its middle, and then ends in the same state.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from loopwright.engines.base import Backend, JobStatus, Route
from loopwright.errors import LoopwrightError, StepFailed, TemporaryError
from loopwright.ledger import Fact
from loopwright.loop.actions import Action, Ask, Call, End, Enter, Finish, Leave, Release, Settle, Start
from loopwright.loop.case import Case, Services
from loopwright.loop.keys import endpoint_key, feedback_key, key_of_tests
from loopwright.loop.pipeline import MOST_LOST
from loopwright.loop.places import with_places
from loopwright.loop.serving import START_TIMEOUT, example_request, replica_set
from loopwright.loop.steps import ReleaseStep, Step
from loopwright.loop.transfers import origin
from loopwright.loop.view import View
from loopwright.release import Failure, Move
from loopwright.state import StateFolder

US = "loopwright"  # the actor of what the controllers do by themselves
_MARGIN = 1.0  # seconds that the gateway waits beyond what a replica may take
_CHECK_TIMEOUT = 30.0


class Performer:
    """Performs one change's actions."""

    def __init__(self, services: Services, case: Case, clock: Callable[[], float] = time.time) -> None:
        self._services = services
        self._book = services.book
        self._case = case
        self._clock = clock

    def perform(self, action: Action) -> None:
        """Do it. A definite no is recorded as the step's failure; TemporaryError is the caller's to repeat."""
        if isinstance(action, End):
            self._record(action.kind, self._case.change.id, {})
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
            self._fail(action.step, action.inputs, error)

    def fault(self, action: Action, error: Exception) -> None:
        """Record that an action failed for a reason that is no verdict."""
        if isinstance(action, End):
            return
        told = (
            error
            if isinstance(error, LoopwrightError)
            else StepFailed(f"A fault of Loopwright's own: {error!r}. The control plane's log has more.")
        )
        self._fail(action.step, action.inputs, told)

    def _dispatch(self, action: Start | Finish | Call | Ask | Settle | Release | Enter | Leave) -> None:
        match action:
            case Start():
                self._start(action)
            case Finish():
                self._finish(action)
            case Call():
                self._started(action.step, action.inputs)
                self._succeed(action.step, action.inputs, action.step.call(self._case, self._services))
            case Ask():
                self._ask(action)
            case Settle():
                self._settle(action)
            case Release():
                self._release(action)
            case Enter():
                self._turn("release.asked", action)
            case Leave():
                self._restore(action.step, action.inputs)
                self._turn("release.withdrawn", action)

    def _record(self, kind: str, key: str, body: dict[str, Any], actor: str = US) -> None:
        self._book.append_once(kind, self._case.change.workload, key, body, actor, self._clock())

    def _started(self, step: Step, inputs: str, **more: Any) -> None:
        change = self._case.change
        body = {"change": change.id, "step": step.name, "inputs": inputs} | more
        self._record("step.started", f"{change.id}/{step.name}/{more.get('job', '')}", body)

    def _succeed(
        self, step: Step, inputs: str, output: dict[str, Any], job: str = "", actor: str = US
    ) -> None:
        change = self._case.change
        body = {"change": change.id, "step": step.name, "inputs": inputs, "output": output, "job": job}
        self._record("step.succeeded", job or f"{change.workload}.{step.name}.{inputs[:32]}", body, actor)

    def _fail(self, step: Step, inputs: str, error: LoopwrightError, actor: str = US) -> None:
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
        self._record("step.failed", f"{change.id}/{step.name}", body, actor)

    def _start(self, action: Start) -> None:
        folder = self._services.job_folder(action.job)
        job = action.step.job(self._case, self._services, action.job, folder)
        self._started(action.step, action.inputs, job=action.job)
        self._services.engine.submit(job)

    def _finish(self, action: Finish) -> None:
        step, status, folder = action.step, action.status, self._services.job_folder(action.job)
        if status.state == "succeeded":
            output = step.result(self._case, self._services, action.job, folder)
            self._succeed(step, action.inputs, output, action.job)
        elif status.reason == "cancelled" or (_killed(status) and self._lost(action) < MOST_LOST):
            if status.reason == "cancelled":
                step.cancelled(self._case, self._services, action.job, folder)
            # Cancelled because nothing wanted it for a while; now something does, and another attempt is made.
            change = self._case.change
            body = {"change": change.id, "step": step.name, "inputs": action.inputs}
            kind = "cancelled" if status.reason == "cancelled" else "lost"
            self._record(f"job.{kind}", action.job, body)
        else:
            self._try_again(action, step.failed(self._case, self._services, action.job, folder, status))

    def _try_again(self, action: Finish, error: StepFailed) -> None:
        """Record the failure as one of several attempts; raises it where it was the last."""
        change, step = self._case.change, action.step
        if len(self._case.view.retries.get((change.id, step.name), ())) + 1 >= step.attempts:
            raise error
        body = {"change": change.id, "step": step.name, "inputs": action.inputs, "message": error.message}
        self._record("job.failed", action.job, body)

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
            self._record(kind, action.before, {"change": change.id, "reason": action.void.reason})
        self._started(step, action.inputs)
        self._record("approval.requested", approval, body)
        actor = self._case.view.automatic(change)
        if actor and rule.plain:
            decision = {"decision": "approve", "comment": "", "auto": True}
            self._record("approval.decided", approval, decision, actor)

    def _settle(self, action: Settle) -> None:
        no = next((fact for fact in action.decisions if fact.body["decision"] != "approve"), None)
        if no is None:
            comments = [fact.body["comment"] for fact in action.decisions if fact.body["comment"]]
            output = {
                "actor": " and ".join(dict.fromkeys(fact.actor for fact in action.decisions)),
                "comment": "; ".join(comments),
                "auto": any(fact.body["auto"] for fact in action.decisions),
            }
            self._succeed(action.step, action.inputs, output, action.approval)
            return
        comment = f": {no.body['comment']}" if no.body["comment"] else ""
        raise StepFailed(f"{no.actor} rejected the release to {action.step.environment}{comment}.")

    def _release(self, action: Release) -> None:
        step, move = action.step, action.move
        if isinstance(move, Failure):
            self._give_up(step, action.inputs, move, self._stated(step, move.setting))
        elif move is Move.START_REPLICAS:
            self._started(step, action.inputs)
            self._services.engine.set_replicas(
                replica_set(self._case, self._services, step.environment, released=False)
            )
        elif move is Move.CHECK:
            self._check(step, action.inputs)
        elif move is Move.SWITCH_ROUTE:
            self._want_route(step, self._route(step, action.inputs))
        elif move is Move.COMPLETE:
            self._complete(step, action.inputs)
        elif move is Move.MOVE_ALIAS:
            self._move_alias(step)

    def _check(self, step: ReleaseStep, inputs: str) -> None:
        """Each new replica must answer the package's own example before it gets a client's request."""
        name, package = step.replica_set(self._case), self._case.outputs["package"]
        request = json.dumps(example_request(package)).encode()
        answers = self._services.engine.probe(name, request, _CHECK_TIMEOUT)
        if not answers:
            raise TemporaryError("No replica is ready to be checked at this moment.")
        wrong = [(status, body) for status, body in answers if not 200 <= status < 300]
        if wrong:
            status, body = wrong[0]
            reason = f"A new replica answered the package's example with {status}: {body[:300].decode(errors='replace')}"
            self._give_up(step, inputs, Failure(reason), self._case.spec.serving.place)
            return
        change = self._case.change
        body_ = {"change": change.id, "environment": step.environment, "replicas": len(answers)}
        self._record("release.checked", f"{change.id}/{step.name}/{inputs[:12]}", body_)

    def _route(self, step: ReleaseStep, inputs: str) -> dict[str, Any]:
        serving = self._case.spec.serving_in(step.environment)
        limits, replicas = serving.limits, serving.replicas
        start = START_TIMEOUT if replicas.min == 0 else 0.0  # that a request may wait for the first replica
        return {
            "environment": step.environment,
            "inputs": inputs,
            "replica_set": step.replica_set(self._case),
            "auth": serving.auth,
            "timeout": start + limits.queue_wait + limits.timeout + _MARGIN,
            "idempotent": serving.idempotent,
            "grpc": serving.grpc,
            "capacity": replicas.max * (limits.concurrency + limits.queue),
        }

    def _want_route(self, step: ReleaseStep, route: dict[str, Any] | None) -> None:
        workload = self._case.change.workload
        kind = "route.wanted" if route else "route.withdrawn"
        body = route or {"environment": step.environment}
        self._book.append(kind, workload, f"{workload}@{step.environment}", body, US, self._clock())
        with self._book.locked():
            self._services.engine.set_routes(route_table(self._case.view, self._services.state))

    def _complete(self, step: ReleaseStep, inputs: str) -> None:
        change, package = self._case.change, dict(self._case.outputs["package"])
        key = f"{change.id}/{step.name}/{inputs[:12]}"
        self._record("route.acknowledged", key, {"environment": step.environment, "inputs": inputs})
        previous = self._case.view.current(step.environment, change.workload)
        body: dict[str, Any] = {
            "change": change.id,
            "environment": step.environment,
            "inputs": inputs,
            "revision": step.revision(self._case),
            "replica_set": step.replica_set(self._case),
            "version": self._case.outputs["register"]["version"],
            "package": package,
            "route": self._route(step, inputs),
            "least": self._case.spec.serving_in(step.environment).replicas.min,
            "previous": previous.body["version"] if previous else None,
            "url": self._services.engine.endpoint(step.environment, change.workload),
        }
        transfer = self._case.transfer
        if transfer is not None:
            body |= self._transferred(transfer, previous)
        self._record("release.completed", key, body, transfer.actor if transfer else US)

    def _transferred(self, transfer: Fact, previous: Fact | None) -> dict[str, Any]:
        """What the record of a release says where a transfer and not the change itself has brought it about."""
        release = origin(self._case.view, transfer)
        return {
            "change": release.body["change"],
            "transfer": transfer.key,
            "by": "rollback" if transfer.kind == "rollback.requested" else "promote",
            "comment": transfer.body["comment"],
            "restores": release.key,
            "source": release.body["environment"],
            "replaces": previous.key if previous else None,
        }

    def _move_alias(self, step: ReleaseStep) -> None:
        current = self._case.view.current(step.environment, self._case.change.workload)
        if current is not None:
            move_alias(self._services, current, self._clock())

    def _stated(self, step: ReleaseStep, setting: str) -> str:
        """Where the spec states a setting of serving for a step's environment; empty for no setting."""
        own = self._case.spec.environments[step.environment].serving
        stated = own is not None and setting.partition(".")[0] in own.model_fields_set
        return (
            f"environments.{step.environment}.serving.{setting}"
            if stated
            else setting and f"serving.{setting}"
        )

    def _turn(self, kind: str, action: Enter | Leave) -> None:
        change, step = self._case.change, action.step
        body = {
            "change": change.id,
            "step": step.name,
            "environment": step.environment,
            "inputs": action.inputs,
        }
        self._record(kind, f"{change.id}/{step.name}/{action.inputs[:12]}", body)

    def _restore(self, step: ReleaseStep, inputs: str) -> Fact | None:
        """Want the route of what served before where this release's had been; returns that release."""
        workload = self._case.change.workload
        route = self._case.view.routes.get((step.environment, workload))
        serving = self._case.view.current(step.environment, workload)
        if route is not None and route.body["inputs"] == inputs:
            self._want_route(step, serving.body["route"] if serving else None)
        return serving

    def _give_up(self, step: ReleaseStep, inputs: str, why: Failure, at: str = "") -> None:
        """The old revision keeps serving, as far as the gateway does."""
        workload = self._case.change.workload
        serving = self._restore(step, inputs)
        if serving is None or serving.body["replica_set"] != step.replica_set(self._case):
            self._services.engine.remove_replicas(step.replica_set(self._case))
        goes_on = "stays what the gateway is to serve" if why.of_gateway else "goes on serving"
        stays = f", and {workload}:{serving.body['version']} {goes_on} there" if serving else ""
        message = f"The release to {step.environment} failed{stays}. {why.reason}"
        raise StepFailed(message, [at] if at else [])


def route_table(view: View, state: StateFolder) -> tuple[Route, ...]:
    """The routes that the facts want."""
    routes = []
    for (environment, workload), fact in sorted(view.routes.items()):
        body = fact.body
        keys = {"default": endpoint_key(state, environment, workload)} if body["auth"] == "key" else {}
        routes.append(
            Route(
                environment=environment,
                workload=workload,
                backends=(Backend(replica_set=body["replica_set"]),),
                keys=keys,
                timeout=body["timeout"],
                idempotent=body["idempotent"],
                capacity=body["capacity"],
                feedback_keys={"feedback": feedback_key(state, environment, workload)},
                test_keys={"test": key_of_tests(state, environment, workload)},
                grpc=body.get("grpc", False),  # which the facts of 0.2 do not say
            )
        )
    return tuple(routes)


def _killed(status: JobStatus) -> bool:
    """Whether it ended through no fault of its own: the machine went down, or someone sent SIGKILL, as the kernel does
    where memory is short. Loopwright's own kills (max_duration, memory) have reasons of their own."""
    return status.reason == "lost" or (status.reason == "signal" and status.exit_code == -signal.SIGKILL)


def move_alias(services: Services, release: Fact, now: float) -> None:
    """Have the registry's alias of a release's environment name the version that serves there."""
    environment, version = release.body["environment"], release.body["version"]
    services.tracking.set_alias(release.workload, environment, version)
    body = {"environment": environment, "version": version}
    with services.book.locked():
        if not services.book.view.aliased(release):  # moved meanwhile by whoever else keeps what serves
            key = f"{release.workload}@{environment}"
            services.book.append("alias.moved", release.workload, key, body, US, now)
