"""The agent's side of the activators: two are kept running while any set may be asleep, and told which replicas are ready.

What they hold is lost with them and with nothing else: an activator outlives the agent, and the next agent takes it over.
"""

from __future__ import annotations

import hashlib
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from loopwright.engines.base import ReplicaSet
from loopwright.engines.local import bounded_log
from loopwright.engines.local.activator_files import DEMAND, SETS, Demand, FileOf, Sleeper
from loopwright.engines.local.backoff import Backoff
from loopwright.engines.local.doorbell import ring
from loopwright.engines.local.kept_process import KeptProcess
from loopwright.log import logger
from loopwright.state import replace_file

__all__ = ["Activators", "Standing"]

_PROCESSES = 2
_FAREWELL = 10.0  # seconds that one nobody needs any more has for what it holds
_NAME = "process.json"
_log = logger("agent.activator")


@dataclass(frozen=True)
class Standing:
    """A set that may be asleep, as the agent sees it now."""

    wanted: ReplicaSet
    ready: tuple[str, ...] = ()  # sockets
    failing: str = ""


class Activators:
    """All activators of a state folder."""

    def __init__(
        self, folder: Path, sockets: Path, variables: Callable[[str], Mapping[str, str]], agent_bell: str
    ) -> None:
        self._all = [
            _Activator(folder / str(index), sockets / f"a{index}", variables, agent_bell)
            for index in range(_PROCESSES)
        ]

    def tick(self, standings: Iterable[Standing], now: float) -> None:
        """Tell them what is, and see to it that they run while there is anything to tell."""
        wanted = sorted(standings, key=lambda standing: standing.wanted.name)
        for activator in self._all:
            activator.tick(wanted, now)

    def sockets(self, name: str) -> tuple[str, ...]:
        """Where the gateway may send the requests of a set without a ready replica."""
        return tuple(one.socket(name) for one in self._all if one.listens(name))

    def held(self, name: str) -> int:
        """Requests of a set that wait for a replica."""
        return sum(one.demand.held.get(name, 0) for one in self._all)

    def asked(self, name: str) -> dict[str, int]:
        """Requests that ever came for a set, by activator."""
        return {one.id: one.demand.asked.get(name, 0) for one in self._all}

    def kill(self) -> None:
        """End them, and what they hold."""
        for activator in self._all:
            activator.end()

    @property
    def settled(self) -> bool:
        """Whether none is left; tries again to end those that are, after `kill`."""
        return all(activator.gone for activator in self._all)


class _Activator:
    """One of them; `socket` is where its sockets' names begin."""

    def __init__(
        self, folder: Path, socket: Path, variables: Callable[[str], Mapping[str, str]], agent_bell: str
    ) -> None:
        self._folder, self._socket, self._variables, self._agent_bell = folder, socket, variables, agent_bell
        self._process = KeptProcess.found(folder, folder / _NAME)
        self._file: FileOf[Demand] = FileOf(folder / DEMAND, Demand, Demand())
        self._told: tuple[Sleeper, ...] | None = None
        self._backoff = Backoff()
        self._born = 0.0
        self._unneeded_since: float | None = None

    @property
    def id(self) -> str:
        """Names this process among all that ever were in its place."""
        return f"{self._socket.name}.{self._process.pid if self._process else 0}"

    @property
    def demand(self) -> Demand:
        return self._file.content

    @property
    def gone(self) -> bool:
        return self._process is None

    def socket(self, name: str) -> str:
        """Where it takes the requests of a set."""
        return f"{self._socket}-{hashlib.sha256(name.encode()).hexdigest()[:10]}.sock"

    def listens(self, name: str) -> bool:
        return self._process is not None and Path(self.socket(name)).exists()

    def tick(self, wanted: list[Standing], now: float) -> None:
        if self._process is not None and not self._process.alive():
            _log.warning("an activator is lost", extra={"action": "lost", "activator": self.id})
            self._backoff.failed(now, now - self._born)
            self.end()
        if self._process is None:
            if wanted and self._backoff.allows(now):
                self._start(wanted, now)
            return
        self._file.read()
        self._tell(wanted)
        bounded_log.rotate(str(self._log_file))
        self._let_go(bool(wanted), now)

    def _let_go(self, needed: bool, now: float) -> None:
        """End it once no set needs it and it holds nothing, or has held it for too long."""
        if needed:
            self._unneeded_since = None
            return
        since = self._unneeded_since = now if self._unneeded_since is None else self._unneeded_since
        if now - since > _FAREWELL or (now > since and not self.demand.inside):
            self.end()

    @property
    def _log_file(self) -> Path:
        return self._folder / "log.txt"

    @property
    def _bell(self) -> str:
        return f"{self._socket}.bell"

    def _start(self, wanted: list[Standing], now: float) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._told, self._born = None, now
        process = KeptProcess(self._folder, self._folder / _NAME, {})
        module = (sys.executable, "-m", "loopwright.engines.local.activator")
        bells = ("--bell", self._bell, "--agent-bell", self._agent_bell)
        try:
            self._tell(wanted)
            process.start(
                [*module, "--folder", str(self._folder), *bells],
                self._variables(str(self._folder)),
                self._log_file,
            )
        except OSError as error:
            _log.error("an activator cannot be started", extra={"action": "start", "error": str(error)})
            self._backoff.failed(now)
            return
        self._process = process
        _log.info("an activator starts", extra={"action": "start", "pid": process.pid})

    def _tell(self, wanted: list[Standing]) -> None:
        sleepers = tuple(self._sleeper(standing) for standing in wanted)
        if sleepers != self._told:
            replace_file(self._folder / SETS, msgspec.json.encode(sleepers))
            for gone in {one.socket for one in self._told or ()} - {one.socket for one in sleepers}:
                Path(gone).unlink(missing_ok=True)
            self._told = sleepers
            ring(self._bell)

    def _sleeper(self, standing: Standing) -> Sleeper:
        wanted = standing.wanted
        places = -(-(wanted.concurrency + wanted.queue) // _PROCESSES)
        return Sleeper(
            name=wanted.name,
            socket=self.socket(wanted.name),
            places=places,
            patience=wanted.start_timeout,
            max_body=wanted.max_body,
            concurrency=wanted.concurrency,
            ready=standing.ready,
            failing=standing.failing,
        )

    def end(self) -> None:
        """SIGKILL it, and forget what it had to tell; its sockets lead nowhere any more."""
        if self._process is None:
            return
        self._process.signal(signal.SIGKILL)
        if not self._process.end():
            return
        self._process, self._unneeded_since = None, None
        (self._folder / DEMAND).unlink(missing_ok=True)
        self._file = FileOf(self._folder / DEMAND, Demand, Demand())
        for socket in self._socket.parent.glob(f"{self._socket.name}[-.]*"):
            socket.unlink(missing_ok=True)
