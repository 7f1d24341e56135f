"""From the engine's routes and the agent's replicas to the values that routing renders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from loopwright import routing
from loopwright.engines.base import Backend, Route
from loopwright.engines.local.desired import routes_digest
from loopwright.errors import EngineError
from loopwright.routing import Cluster, Endpoint, Files, Pipe, Share, Table, grpc_cluster

__all__ = ["WantedTable", "cluster_members", "clusters_of", "pipes", "sockets_of", "table"]

_GRPC = ".grpc"  # ends the path of the socket for gRPC, and the name of its cluster


class WantedTable:
    """The wanted routes, rendered; again only when they, or the replica sets that need a cluster, have changed."""

    def __init__(self, folder: str) -> None:
        self.routes: tuple[Route, ...] | None = None
        self.files = Files()  # clusters and routes, of the newest table that could be rendered
        self.digest = ""  # of the routes in `files`
        self.version = ""  # names `files`
        self.error = ""  # why the wanted routes cannot be rendered; empty where they are
        self._folder = folder
        self._rendered: tuple[tuple[Route, ...], frozenset[str]] | None = None

    @property
    def secrets(self) -> list[str]:
        """Every key in the wanted routes."""
        found = [(one.keys, one.feedback_keys, one.test_keys) for one in self.routes or ()]
        return [key for some in found for keys in some for key in keys.values()]

    def render(self, replica_sets: Iterable[str]) -> None:
        """Render what is wanted now; on an error the files stay as they were."""
        if self.routes is None or self._rendered == (now := (self.routes, frozenset(replica_sets))):
            return
        self._rendered = now
        whole = table(*now)
        try:
            files = Files(
                clusters=routing.render_clusters(whole.clusters, self._folder),
                routes=routing.render_routes(whole),
            )
        except EngineError as error:
            self.error = error.message
            return
        self.files, self.digest, self.error = files, routes_digest(self.routes), ""
        self.version = "-".join(routing.version_of(one) for one in (files.clusters, files.routes) if one)


def table(routes: Sequence[Route], replica_sets: Iterable[str]) -> Table:
    """The table of these routes. The named sets become clusters also while no route leads to them."""
    capacity: dict[str, int] = dict.fromkeys(replica_sets, 1)
    for route in routes:
        for backend in route.backends:
            for name in clusters_of(route, backend):
                capacity[name] = max(route.capacity, capacity.get(name, 1))
    return Table(
        tuple(map(_endpoint, routes)),
        tuple(Cluster(name, size, http2=name.endswith(_GRPC)) for name, size in sorted(capacity.items())),
    )


def clusters_of(route: Route, backend: Backend) -> tuple[str, ...]:
    """The clusters of a replica set: of its sockets, and where it is asked by gRPC, of those too."""
    name = backend.replica_set
    return (name, grpc_cluster(name)) if route.grpc else (name,)


def cluster_members(
    routes: Sequence[Route], endpoints: Mapping[str, Sequence[str]]
) -> dict[str, tuple[Pipe, ...]]:
    """The members of every cluster, given the sockets of each set's ready replicas."""
    found = pipes(endpoints)
    for route in routes:
        for backend in route.backends if route.grpc else ():
            sockets = endpoints.get(backend.replica_set, ())
            found[grpc_cluster(backend.replica_set)] = tuple(Pipe(f"{one}{_GRPC}") for one in sockets)
    return found


def sockets_of(replica_set: str, socket: str) -> dict[str, Pipe]:
    """Where a replica may be a member: cluster -> its address there."""
    return {replica_set: Pipe(socket), grpc_cluster(replica_set): Pipe(f"{socket}{_GRPC}")}


def pipes(endpoints: Mapping[str, Sequence[str]]) -> dict[str, tuple[Pipe, ...]]:
    """The replicas' sockets as addresses."""
    return {name: tuple(map(Pipe, sockets)) for name, sockets in endpoints.items()}


def _endpoint(route: Route) -> Endpoint:
    return Endpoint(
        environment=route.environment,
        workload=route.workload,
        shares=tuple(Share(backend.replica_set, backend.weight) for backend in route.backends),
        timeout=route.timeout,
        keys=route.keys,
        idempotent=route.idempotent,
        feedback_keys=route.feedback_keys,
        test_keys=route.test_keys,
        grpc=route.grpc,
    )
