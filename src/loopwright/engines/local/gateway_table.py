"""From the engine's routes and the agent's replicas to the values that routing renders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from loopwright import routing
from loopwright.engines.base import Route
from loopwright.engines.local.desired import routes_digest
from loopwright.errors import EngineError
from loopwright.routing import Cluster, Endpoint, Files, Pipe, Share, Table

__all__ = ["WantedTable", "pipes", "table"]


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
        return [key for route in self.routes or () for key in route.keys.values()]

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
            capacity[backend.replica_set] = max(route.capacity, capacity.get(backend.replica_set, 1))
    return Table(
        tuple(map(_endpoint, routes)), tuple(Cluster(name, size) for name, size in sorted(capacity.items()))
    )


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
    )
