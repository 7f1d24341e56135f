"""The moves of a release, in the order that keeps every request answered: start, check, switch, record, retire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Move(Enum):
    """What to do next; the value is how it is told to people."""

    START_REPLICAS = "starting replicas"
    AWAIT_READY = "waiting for replicas to be ready"
    CHECK = "checking the new replicas"
    SWITCH_ROUTE = "switching the route"
    AWAIT_ROUTE = "waiting for the gateway to take the route"
    COMPLETE = "recording the release"
    MOVE_ALIAS = "moving the registry's alias"
    AWAIT_SERVING = "waiting for replicas to serve"
    DONE = "serving"


@dataclass(frozen=True)
class Failure:
    """Why a release cannot go on."""

    reason: str
    setting: str = ""  # of `serving`: what could be changed, where it is known
    of_gateway: bool = False  # the gateway is at fault: nobody can say that it serves what was there before


@dataclass(frozen=True)
class Standing:
    """How a release stands, from facts and the engine's report."""

    started: bool  # the engine has been asked for the new revision's replicas
    minimum: int
    ready: int
    failing: str  # why its replicas do not come up; empty where they do
    checked: bool  # each new replica has answered the package's example
    route_wanted: bool  # the route to this revision has been asked for
    route_accepted: bool  # and every gateway process serves it
    route_rejected: str  # a gateway's reason for refusing it
    completed: bool  # the release is recorded as this environment's newest
    aliased: bool  # the registry's alias points to it
    waited: float  # seconds since the release began
    patience: float  # seconds that it may take to become ready
    setting: str = ""  # the setting of `serving` that its replicas fail for, where it is known


def next_move(standing: Standing) -> Move | Failure:
    """Decide the next move.

    A completed release stays wanted: its replicas are asked for again where the engine has lost them, and it counts as
    done only while enough of them are ready.
    """
    if not standing.started:
        return Move.START_REPLICAS
    if standing.completed:
        return _keep(standing)
    if standing.failing:
        return Failure(standing.failing, standing.setting)
    if standing.ready < standing.minimum and not standing.route_wanted:
        return _await_ready(standing)
    if not standing.checked:
        return Move.CHECK
    if not standing.route_wanted:
        return Move.SWITCH_ROUTE
    if standing.route_rejected:
        return Failure(f"The gateway cannot serve the new route: {standing.route_rejected}", of_gateway=True)
    return Move.COMPLETE if standing.route_accepted else Move.AWAIT_ROUTE


def _await_ready(standing: Standing) -> Move | Failure:
    if standing.waited > standing.patience:
        return Failure(
            f"{standing.ready} of {standing.minimum} replicas were ready after {standing.patience:.0f} s, "
            "expected all. Look at their log, and at the machine's memory and load."
        )
    return Move.AWAIT_READY


def _keep(standing: Standing) -> Move:
    if not standing.aliased:
        return Move.MOVE_ALIAS
    if standing.ready < standing.minimum or not standing.route_accepted:
        return Move.AWAIT_SERVING
    return Move.DONE
