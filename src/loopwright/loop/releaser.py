"""How each move of a release is made: replicas, route, record and alias.

As with every action, each move may be made again after a crash in its middle, and then ends in the same state.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from loopwright.engines.base import Backend, Route
from loopwright.errors import StepFailed, TemporaryError
from loopwright.ledger import Fact
from loopwright.loop.actions import Enter, Leave, Release
from loopwright.loop.case import Case, Services
from loopwright.loop.keys import endpoint_key, feedback_key, key_of_tests
from loopwright.loop.recorder import US, Recorder
from loopwright.loop.serving import START_TIMEOUT, example_request, replica_set
from loopwright.loop.steps import ReleaseStep
from loopwright.loop.transfers import origin
from loopwright.loop.view import View
from loopwright.release import Failure, Move
from loopwright.state import StateFolder

_MARGIN = 1.0  # seconds that the gateway waits beyond what a replica may take
_CHECK_TIMEOUT = 30.0


class Releaser:
    """Makes the moves of one change's releases."""

    def __init__(
        self, services: Services, case: Case, recorder: Recorder, clock: Callable[[], float]
    ) -> None:
        self._services = services
        self._book = services.book
        self._case = case
        self._recorder = recorder
        self._clock = clock

    def perform(self, action: Release) -> None:
        step, move = action.step, action.move
        if isinstance(move, Failure):
            self._give_up(step, action.inputs, move, self._stated(step, move.setting))
        elif move is Move.START_REPLICAS:
            self._recorder.started(step, action.inputs)
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
        self._recorder.record("release.checked", f"{change.id}/{step.name}/{inputs[:12]}", body_)

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
        self._recorder.record("route.acknowledged", key, {"environment": step.environment, "inputs": inputs})
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
        self._recorder.record("release.completed", key, body, transfer.actor if transfer else US)

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

    def turn(self, kind: str, action: Enter | Leave) -> None:
        change, step = self._case.change, action.step
        body = {
            "change": change.id,
            "step": step.name,
            "environment": step.environment,
            "inputs": action.inputs,
        }
        self._recorder.record(kind, f"{change.id}/{step.name}/{action.inputs[:12]}", body)

    def restore(self, step: ReleaseStep, inputs: str) -> Fact | None:
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
        serving = self.restore(step, inputs)
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


def move_alias(services: Services, release: Fact, now: float) -> None:
    """Have the registry's alias of a release's environment name the version that serves there."""
    environment, version = release.body["environment"], release.body["version"]
    services.tracking.set_alias(release.workload, environment, version)
    body = {"environment": environment, "version": version}
    with services.book.locked():
        if not services.book.view.aliased(release):  # moved meanwhile by whoever else keeps what serves
            key = f"{release.workload}@{environment}"
            services.book.append("alias.moved", release.workload, key, body, US, now)
