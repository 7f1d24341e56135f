"""The local gateway: Envoy processes that share one port, kept running and given their configuration in the safe order.

The agent alone uses it: `want(...)` says what is to be, `tick(now)`, called in the agent's loop, does the next thing
towards that and returns at once, and the properties say how far it has come. Nothing but the files and the Envoys
themselves holds state that matters, so that the agent may be killed at any moment; the next one adopts what runs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from loopwright import routing
from loopwright.engines.base import Route, ServiceStatus
from loopwright.engines.local import bounded_log, gateway_admin
from loopwright.engines.local.backoff import Backoff
from loopwright.engines.local.desired import GatewaySettings
from loopwright.engines.local.gateway_departures import Departures
from loopwright.engines.local.gateway_envoy import Envoy, binary
from loopwright.engines.local.gateway_files import ConfigFolder
from loopwright.engines.local.gateway_port import address, require_free, taken
from loopwright.engines.local.gateway_table import WantedTable, cluster_members, sockets_of
from loopwright.routing import Files, Pipe

__all__ = ["Gateway"]

_SOON = 0.05  # seconds between ticks while something is under way
_BUSY = 0.1  # seconds between looks while an Envoy has something to accept
_IDLE = 2.0  # seconds between looks otherwise
_HOUSEKEEPING = 10.0  # seconds
_LISTEN_AGAIN = 10.0  # seconds at most between two tries to have a port that another program has
_ACCESS_LOG = 64 * 1024 * 1024  # bytes kept, and once more of the time before
_SHORTEST_DRAIN = 10.0  # seconds; else as long as the slowest route allows a request to take


class Gateway:
    """All Envoys of one state folder. `folder` is the gateway's own; times are monotonic seconds."""

    def __init__(self, settings: GatewaySettings, folder: Path, sockets: Path) -> None:
        self.settings = settings
        self.access_log = folder / "access.jsonl"
        self._folder = folder
        self._sockets = sockets
        self._config = ConfigFolder(folder / "config")
        self._wanted = WantedTable(str(self._config.path))
        self._endpoints: dict[str, tuple[Pipe, ...]] = {}
        self._departures = Departures()
        self._envoys: list[Envoy] = []
        self._program = ""  # empty: not started
        self._accepted = ""
        self._refused: tuple[str, str] | None = None  # the table's version that an Envoy refused, and why
        self._listener_refused = ""
        self._listen_again = _listen_again()
        self._clean_at = 0.0

    @property
    def accepted(self) -> str:
        """The digest of the newest route table that every running Envoy has accepted; empty before the first."""
        return self._accepted

    @property
    def rejected(self) -> str:
        """Why the wanted table cannot be served, as a sentence; empty where it can. The accepted one is served on."""
        refused = self._refused[1] if self._refused and self._is_refused() else ""
        return self._wanted.error or refused or self._listener_refused

    @property
    def interval(self) -> float:
        """Seconds until the next `tick` has something to do."""
        leaving = any(envoy.leaving or not envoy.alive for envoy in self._envoys)
        return _SOON if leaving or self._busy() else _IDLE / 2

    def services(self, now: float) -> dict[str, ServiceStatus]:
        """How each process is."""
        return {envoy.name: envoy.status(now) for envoy in self._envoys}

    def start(self, now: float) -> None:
        """Adopt the Envoys that run; `tick` starts those that are missing.

        Raises MachineError where Envoy is not installed or the port cannot be had.
        """
        program = binary()
        listener = self._listener()
        found = [envoy for envoy in map(self._envoy, self._known()) if envoy.adopt(now)]
        if not found or not self._config.listens_at(listener):
            require_free(self.settings.host, self.settings.port)
        self._config.complete()
        self._config.write_listener(listener)
        missing = set(range(self.settings.processes)) - {envoy.index for envoy in found}
        self._envoys = sorted([*found, *map(self._envoy, missing)], key=lambda envoy: envoy.index)
        for envoy in found:
            if envoy.index >= self.settings.processes:
                envoy.leave(now, graceful=True)
        self._program = program

    def is_at(self, settings: GatewaySettings) -> bool:
        """Whether that is where it listens, or tries to."""
        return (self.settings.host, self.settings.port) == (settings.host, settings.port)

    def move(self, settings: GatewaySettings) -> None:
        """Listen elsewhere; connections to the old port end by themselves. Raises MachineError where that cannot be had."""
        require_free(settings.host, settings.port)
        self.settings = replace(self.settings, host=settings.host, port=settings.port)
        self._config.write_listener(self._listener())
        for envoy in self._envoys:
            envoy.wrote(["listener"])

    def want(self, routes: tuple[Route, ...], endpoints: Mapping[str, Sequence[str]]) -> None:
        """Want exactly these routes, and behind each replica set these sockets of replicas that are ready.

        Call it only once the running replicas are known: what is missing here is taken out.
        """
        self._wanted.routes = routes
        self._endpoints = cluster_members(routes, endpoints)

    def tick(self, now: float) -> None:
        """Do what is due; returns at once."""
        self._tend(now)
        looked = [envoy for envoy in self._envoys if envoy.look(now, _BUSY if self._busy() else _IDLE)]
        if looked and self._departures.pending:
            loads = [gateway_admin.loads(envoy.socket) for envoy in self._envoys if envoy.alive]
            self._departures.observe(loads, self._longest_request(), now)
        if self._program:
            self._listen(now)
        if self._wanted.routes is not None and self._program:
            self._advance(now)
        if now >= self._clean_at:
            self._clean_at = now + _HOUSEKEEPING
            self._clean()

    def drained(self, replica_set: str, socket: str) -> bool:
        """Whether this replica, no longer wanted here, may be stopped: no Envoy has or will send it a request."""
        if self._wanted.routes is None or Pipe(socket) in self._endpoints.get(replica_set, ()):
            return False
        written = self._config.written.members
        return not any(
            member.address == address
            for cluster, address in sockets_of(replica_set, socket).items()
            for member in routing.members_in(written.get(cluster))
        )

    def stop(self, graceful: bool) -> None:
        """End every Envoy and return when none is left: within seconds; `graceful` lets clients go elsewhere first."""
        if not self._program:
            self._envoys = [
                envoy for envoy in map(self._envoy, self._known()) if envoy.adopt(time.monotonic())
            ]
        for envoy in self._envoys:
            envoy.leave(time.monotonic(), graceful)
        while self._envoys:
            self._tend(time.monotonic())
            time.sleep(0.02)
        self._program = ""

    def _tend(self, now: float) -> None:
        for envoy in self._envoys:
            envoy.tend(now, self._program, self._config.path)
        self._envoys = [envoy for envoy in self._envoys if not envoy.gone]

    def _advance(self, now: float) -> None:
        """See what has been accepted or refused, and write what may be written next."""
        self._wanted.render(self._populated())
        self._judge()
        members = self._departures.members(self._replicas(), self._config.written.members, now)
        table = self._config.good if self._is_refused() else self._wanted.files
        names = {name for name, some in members.items() if some} | routing.clusters_in(table.clusters).keys()
        wanted = Files(
            clusters=table.clusters,
            routes=table.routes,
            members={name: routing.render_members(name, members.get(name, ())) for name in names},
        )
        running = [envoy.acknowledgement for envoy in self._envoys if envoy.alive]
        self._write(routing.next_files(wanted, self._config.written, running))

    def _listen(self, now: float) -> None:
        """Have Envoys that could not have the port try again: by themselves they look at their listener's file only once."""
        version = self._config.versions.get("listener", "")
        ready = [envoy for envoy in self._envoys if envoy.ready]
        deaf = [envoy for envoy in ready if envoy.refused("listener", version)]
        if deaf and (not self._listener_refused or self._listen_again.allows(now)):
            self._listener_refused = self._why_deaf(deaf[0])
            self._listen_again.failed(now)
            self._config.write_listener(self._listener(), again=True)
            for envoy in deaf:
                envoy.wrote(["listener"])
        elif not deaf and all(envoy.listens for envoy in ready):
            self._listener_refused, self._listen_again = "", _listen_again()

    def _why_deaf(self, envoy: Envoy) -> str:
        reason = envoy.last_refusal(self._wanted.secrets)
        if "Address already in use" in reason:
            at = f"{address(self.settings.host)}:{self.settings.port}"
            return f"{envoy.name} cannot listen on {at}: {taken(self.settings.port)}"
        return f"{envoy.name} refused the listener: {reason}."

    def _populated(self) -> set[str]:
        """The replica sets that have replicas, be it leaving ones."""
        written = self._config.written.members
        leaving = {name for name, members in written.items() if routing.members_in(members)}
        return leaving | {name for name, replicas in self._endpoints.items() if replicas}

    def _replicas(self) -> Mapping[str, Sequence[routing.Address]]:
        """The replicas to give work to: those wanted, and all of a set that the old routes still lead to.

        Who takes a set away together with its route may mean both, but the route has to go first.
        """
        if self._accepted == self._wanted.digest:
            return self._endpoints
        routed = routing.clusters_routed(self._wanted.files.routes)
        kept = {
            name: [member.address for member in routing.members_in(members) if not member.draining]
            for name, members in self._config.written.members.items()
            if name not in routed and not self._endpoints.get(name)
        }
        return {**self._endpoints, **kept}

    def _write(self, changes: Files) -> None:
        if not changes:
            return
        self._config.write(changes)
        kinds = [kind for kind in ("clusters", "routes") if getattr(changes, kind) is not None]
        for envoy in self._envoys:
            envoy.wrote(kinds)

    def _judge(self) -> None:
        ready = [envoy for envoy in self._envoys if envoy.ready]
        standing = routing.standing(
            self._wanted.files, self._config.written, [envoy.acknowledgement for envoy in ready]
        )
        if standing == "accepted":
            self._accepted = self._wanted.digest
            self._config.remember()
        for envoy in ready:
            refused = [
                kind
                for kind, version in self._config.versions.items()
                if kind != "listener" and envoy.refused(kind, version)
            ]
            if refused:
                self._refuse(envoy, refused[0])

    def _refuse(self, envoy: Envoy, kind: str) -> None:
        """Hold the wanted table back: what was accepted last is written again, or an Envoy that starts anew would find
        only what it refuses."""
        reason = f"{envoy.name} refused the {kind}: {envoy.last_refusal(self._wanted.secrets)}."
        if not self._is_refused():
            self._refused = (self._wanted.version, reason)

    def _is_refused(self) -> bool:
        return self._refused is not None and self._refused[0] == self._wanted.version

    def _busy(self) -> bool:
        versions = self._config.versions
        behind = any(envoy.alive and (not envoy.ready or envoy.behind(versions)) for envoy in self._envoys)
        return behind or self._departures.pending

    def _longest_request(self) -> float:
        return max([_SHORTEST_DRAIN, *(route.timeout + 1.0 for route in self._wanted.routes or ())])

    def _clean(self) -> None:
        bounded_log.rotate(str(self.access_log), _ACCESS_LOG)
        for envoy in self._envoys:
            bounded_log.rotate(str(envoy.log))

    def _listener(self) -> routing.Resource:
        host = address(self.settings.host)
        return routing.render_listener(host, self.settings.port, str(self._config.path), str(self.access_log))

    def _envoy(self, index: int) -> Envoy:
        return Envoy(index, self._folder / f"envoy-{index}", self._sockets / f"gateway-{index}.sock")

    def _known(self) -> list[int]:
        """The processes that ever were here."""
        return sorted(int(folder.name.removeprefix("envoy-")) for folder in self._folder.glob("envoy-[0-9]*"))


def _listen_again() -> Backoff:
    return Backoff(first=1.0, longest=_LISTEN_AGAIN)
