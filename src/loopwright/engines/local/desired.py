"""What the control plane wants of the agent, and what the agent observes: two files, each replaced by rename.

`desired.json` has one writer, the control plane's local driver; `observed.json` has one writer, the agent. Nothing
else passes between the two, so either may be killed at any moment.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from loopwright.engines.base import EngineReport, Job, ReplicaSet, Route, Value


class GatewaySettings(Value, frozen=True, kw_only=True):
    """Where the gateway listens, and how many Envoy processes share the port."""

    host: str = "127.0.0.1"
    port: int
    processes: int = 2


class Desired(Value, frozen=True, kw_only=True):
    """Everything that the agent is to make true."""

    generation: int = 0
    home: str = ""  # the state folder that its paths are of; empty where release 0.1 wrote it
    gateway: GatewaySettings
    mlflow_port: int  # 0: no tracking server is kept
    jobs: dict[str, Job] = msgspec.field(default_factory=dict)
    cancelled: tuple[str, ...] = ()  # job ids to end
    replica_sets: dict[str, ReplicaSet] = msgspec.field(default_factory=dict)
    since: dict[str, int] = msgspec.field(
        default_factory=dict
    )  # generation in which each set came to be wanted
    routes: tuple[Route, ...] = ()
    stopping: bool = False  # end everything, then the agent itself
    keep_control_plane: bool = True  # start the control plane again where it is dead


class Observed(Value, frozen=True, kw_only=True):
    """What the agent saw last."""

    generation: int  # the newest Desired that it has read
    agent_pid: int
    at: float  # seconds since the epoch
    report: EngineReport


def belongs(desired: Desired, root: Path) -> bool:
    """Whether this was wanted in this state folder; False where the folder was copied or moved here since."""
    if desired.home:
        return desired.home == str(root)
    return all(
        Path(replicas.settings).exists() for replicas in desired.replica_sets.values()
    )  # of release 0.1


def routes_digest(routes: tuple[Route, ...]) -> str:
    """Names a route table by its content."""
    ordered = sorted(routes, key=lambda route: (route.environment, route.workload))
    return hashlib.sha256(msgspec.json.encode(ordered, order="sorted")).hexdigest()[:16]
