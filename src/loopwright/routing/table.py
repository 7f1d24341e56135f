"""What the gateway is to do, as values: endpoints, the clusters behind them and the members of those.

Written by the engines from what the loop wants; read by everything else in this room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pipe:
    """A replica on this machine: the absolute path of its Unix socket."""

    path: str


@dataclass(frozen=True)
class HostPort:
    """A replica elsewhere; `host` is an IP address, since endpoint files carry no names to resolve."""

    host: str
    port: int


Address = Pipe | HostPort


@dataclass(frozen=True)
class Member:
    """One replica of a cluster; a draining one finishes what it has and is given nothing new."""

    address: Address
    draining: bool = False


@dataclass(frozen=True)
class Cluster:
    """The replicas of one revision; `capacity` is how many requests they take together, running and queued."""

    name: str
    capacity: int = 1
    http2: bool = False  # speaks nothing else: gRPC


def grpc_cluster(name: str) -> str:
    """The cluster of the same replicas' gRPC sockets."""
    return f"{name}.grpc"


@dataclass(frozen=True)
class Share:
    """A cluster's part of an endpoint's requests, in proportion to the other weights."""

    cluster: str
    weight: int = 100


@dataclass(frozen=True)
class Endpoint:
    """One stable URL: `/{environment}/{workload}/`, who may call what below it and which clusters answer."""

    environment: str
    workload: str
    shares: tuple[Share, ...]
    timeout: float  # seconds, of a whole request with all its retries
    keys: Mapping[str, str] = field(
        default_factory=dict, repr=False
    )  # client name -> key; empty: open to all
    idempotent: bool = True  # may a request be sent again after a replica has seen it?
    feedback_keys: Mapping[str, str] = field(
        default_factory=dict, repr=False
    )  # for labels and events, which no key of `keys` may write; empty: nobody may
    test_keys: Mapping[str, str] = field(
        default_factory=dict, repr=False
    )  # with one of these a request to /score counts as a test, not as live
    grpc: bool = False  # gRPC too, at the clusters that `grpc_cluster` names

    @property
    def name(self) -> str:
        """How statistics and the access log call it."""
        return f"{self.environment}/{self.workload}"

    @property
    def prefix(self) -> str:
        """What stands before the replica's own paths."""
        return f"/{self.environment}/{self.workload}"


@dataclass(frozen=True)
class Table:
    """Everything that the gateway serves; every share names one of the clusters."""

    endpoints: tuple[Endpoint, ...] = ()
    clusters: tuple[Cluster, ...] = ()
