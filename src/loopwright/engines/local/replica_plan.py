"""Which replicas of a set to start and which to let go: a pure decision from how each stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loopwright.engines.base import ReplicaState

__all__ = ["Plan", "View", "plan"]

_ORDER: tuple[ReplicaState, ...] = ("dead", "not-ready", "starting", "ready")  # the least useful goes first


@dataclass(frozen=True)
class View:
    """One replica; `overweight` says that it uses more memory than it may."""

    id: str
    state: ReplicaState
    born: float
    overweight: bool = False


@dataclass(frozen=True)
class Plan:
    """How many to start, and the ids of those to drain."""

    start: int = 0
    drain: tuple[str, ...] = ()


def plan(wanted: int, views: Sequence[View]) -> Plan:
    """Come to `wanted` good replicas without ever having fewer ready than now, where that can be.

    One that is overweight serves on until another is ready in its place, one after the other. Of too many, the least
    useful and then the youngest go.
    """
    staying = [view for view in views if view.state != "draining"]
    good = [view for view in staying if not view.overweight]
    heavy = [view for view in staying if view.overweight]
    spare = max(0, sum(view.state == "ready" for view in staying) - wanted)
    leaving = [view for view in heavy if view.state != "ready"] + [
        view for view in heavy if view.state == "ready"
    ][:spare]
    surplus = sorted(good, key=lambda view: (_ORDER.index(view.state), -view.born))[
        : max(0, len(good) - wanted)
    ]
    in_place = any(view.state != "ready" for view in good)
    surge = 1 if heavy and len(good) < wanted and not in_place else 0
    start = max(wanted - len(staying), surge)
    return Plan(max(0, start), tuple(view.id for view in [*leaving, *surplus]))
