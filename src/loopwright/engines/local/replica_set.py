"""The agent's work for one replica set: look at each replica, decide, start, drain, replace, and tell how it stands."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loopwright.engines.base import ReplicaSet, ReplicaSetStatus
from loopwright.engines.local import bounded_log, scaling
from loopwright.engines.local.activator_keeper import Activators, Standing
from loopwright.engines.local.backoff import Backoff
from loopwright.engines.local.idleness import Idleness
from loopwright.engines.local.probing import Prober, stats
from loopwright.engines.local.replica import Replica
from loopwright.engines.local.replica_plan import View, plan
from loopwright.errors import LoopwrightError
from loopwright.log import logger
from loopwright.secrets.providers import Secrets

__all__ = ["ReplicaSetKeeper", "Surroundings"]

_STARTING_INTERVAL = 0.1  # seconds between two probes of a replica that starts
_HOUSEKEEPING = 2.0  # seconds between two looks at memory and log sizes
_DRAIN_PATIENCE = 30.0  # seconds that a draining replica waits for the gateway
_log = logger("agent.replicas")


@dataclass(frozen=True)
class Surroundings:
    """What a set needs of the agent; `drained(set, socket)` says that no gateway sends a replica anything any more.

    `activators` take the requests of sets that may have no replicas.
    """

    replicas: Path
    sockets: Path
    variables: Callable[[str], Mapping[str, str]]
    prober: Prober
    drained: Callable[[str, str], bool]
    activators: Activators
    secrets: Secrets


class ReplicaSetKeeper:
    """Keeps one set; `wanted` None lets it go."""

    def __init__(self, name: str, surroundings: Surroundings) -> None:
        self.name = name
        self.wanted: ReplicaSet | None = None
        self.replicas: list[Replica] = []
        self.failing = ""
        self._setting = ""  # of `serving`: what it fails for
        self._failed_starts = 0  # in a row
        self._around = surroundings
        self._scale = scaling.Scale(0)
        self._idleness = Idleness(0.0)
        self._scale_at = self._housekeeping_at = 0.0
        self._backoff = Backoff()
        self._since = -1
        self._restarts: list[int] = []  # counts of those lost, for those who take their place
        self._ending: list[Replica] = []

    def want(self, wanted: ReplicaSet | None, since: int, now: float, asleep: bool = False) -> None:
        """Change what is wanted. A set wanted again, as another `since` tells, begins afresh.

        `asleep`: an earlier agent had scaled it to zero.
        """
        if wanted is not None and since != self._since:
            self._since = since
            self._idleness = Idleness(now if not asleep else float("-inf"))
            self.failing, self._failed_starts, self._backoff = "", 0, Backoff()
            self._scale = scaling.Scale(len([replica for replica in self.replicas if not replica.leaving]))
        self.wanted = wanted

    def tick(self, now: float) -> None:
        """Look at every replica, and act."""
        for replica in self.replicas:
            self._hear(replica, now)
        for replica in list(self.replicas):
            self._judge(replica, now)
        self._ending = [replica for replica in self._ending if not replica.end()]
        if now >= self._housekeeping_at:
            self._housekeeping_at = now + _HOUSEKEEPING
            self._keep_house()
        self._rescale(now)
        self._carry_out(now)
        for replica in self.replicas:
            self._ask(replica, now)

    def _ask(self, replica: Replica, now: float) -> None:
        if now >= replica.probe_at and Path(replica.socket).exists():
            interval = (
                self.wanted.scale_interval if self.wanted and replica.state == "ready" else _STARTING_INTERVAL
            )
            replica.probe_at = now + interval
            self._around.prober.ask(replica.socket, stats(replica.socket))

    def _hear(self, replica: Replica, now: float) -> None:
        answer = self._around.prober.take(replica.socket)
        if answer is None or replica.leaving:
            return
        before = replica.state
        replica.hear(answer, now)
        if replica.state == "ready" and before != "ready":
            self.failing, self._failed_starts = "", 0
            _log.info(
                "a replica is ready",
                extra={"action": "ready", "replica": replica.id, "seconds": round(now - replica.born, 3)},
            )

    def _judge(self, replica: Replica, now: float) -> None:
        """Let an ended one go, end one that hangs, and bring a draining one on."""
        if not replica.process.alive():
            status = replica.process.exit_status()
            self._lost(
                replica, self._how_it_ended(replica), now, by_itself=status is not None and status >= 0
            )
        elif replica.leaving:
            if replica.drain_until <= now or self._around.drained(self.name, replica.socket):
                replica.retire(now)
            if replica.overdue(now):
                self._lose(replica)
        elif replica.hung(now):
            self._lost(
                replica,
                f"Replica {replica.id} did not answer for a long time and was replaced: {replica.answer.error or replica.answer.message}",
                now,
            )
        elif self.wanted and replica.state == "starting" and now - replica.born > self.wanted.start_timeout:
            message = f"Replica {replica.id} was not ready after {self.wanted.start_timeout:g} s: {replica.last_words()}"
            self._lost(replica, message, now)

    def _how_it_ended(self, replica: Replica) -> str:
        status = replica.process.exit_status()
        how = (
            "ended"
            if status is None
            else f"was killed by signal {-status}"
            if status < 0
            else f"ended with status {status}"
        )
        when = "before it was ready" if replica.ready_at is None else "while it served"
        return f"Replica {replica.id} {how} {when}: {replica.last_words()}"

    def _lost(self, replica: Replica, message: str, now: float, by_itself: bool = True) -> None:
        """It is gone without having been told to go: another will take its place.

        A replica that was killed while it started, or ended while no agent looked, says nothing of its revision: only
        the second in a row counts as failing.
        """
        self._lose(replica)
        if replica.leaving:
            return
        if replica.ready_at is None:
            self._failed_starts += 1
            if by_itself or self._failed_starts > 1:
                self.failing, self._setting = message, ""
        self._restarts.append(replica.restarts + 1)
        self._backoff.failed(now, now - replica.ready_at if replica.ready_at is not None else 0.0)
        _log.warning("a replica is lost", extra={"action": "lost", "replica": replica.id, "reason": message})

    def _lose(self, replica: Replica) -> None:
        self.replicas.remove(replica)
        self._around.prober.forget(replica.socket)
        self._ending.append(replica)

    def _keep_house(self) -> None:
        limit = self.wanted.memory if self.wanted else None
        for replica in self.replicas:
            bounded_log.rotate(str(replica.log))
            if limit is not None and not replica.leaving:
                used = replica.process.memory(limit)
                replica.overweight = (
                    f"it uses {used} bytes of memory, more than its {limit}" if used > limit else ""
                )

    def _rescale(self, now: float) -> None:
        held = self._around.activators.held(self.name)
        called = held > 0 and self.asleep
        if self.wanted is None or (now < self._scale_at and not called):
            return
        self._scale_at = now + self.wanted.scale_interval
        load = held + sum(replica.load for replica in self.replicas if replica.state == "ready")
        scale = scaling.wanted(self.wanted, self._scale, load, now, self._idle(load, now))
        if scale.wanted != self._scale.wanted:
            _log.info(
                "scaling", extra={"action": "scale", "set": self.name, "wanted": scale.wanted, "load": load}
            )
        self._scale = scale

    def _idle(self, load: int, now: float) -> float:
        """Seconds since anybody could ask and did. The time in which replicas start is no time without requests."""
        counts = {replica.id: replica.answer.completed for replica in self.replicas}
        starting = self._scale.wanted > 0 and all(replica.state != "ready" for replica in self.replicas)
        self._idleness.look(counts | self._around.activators.asked(self.name), load > 0 or starting, now)
        return self._idleness.seconds(now)

    def _carry_out(self, now: float) -> None:
        wanted = self._scale.wanted if self.wanted else 0
        views = [View(one.id, one.state, one.born, bool(one.overweight)) for one in self.replicas]
        decided = plan(wanted, views)
        for replica in list(self.replicas):
            if replica.id in decided.drain:
                self._let_go(replica, now)
        if self.wanted and self._backoff.allows(now):
            for _ in range(decided.start):
                self._start(self.wanted, now)

    def _let_go(self, replica: Replica, now: float) -> None:
        if replica.overweight:
            self._backoff.failed(now, now - (replica.ready_at or now))
            if replica.ready_at is None:
                self._restarts.append(replica.restarts + 1)
                self.failing = f"Replica {replica.id} did not come up: {replica.overweight}."
                self._setting = "resources.memory"
        served = replica.ready_at is not None
        replica.drain(now, _DRAIN_PATIENCE if served else 0.0)
        _log.info(
            "a replica is to go",
            extra={"action": "drain", "replica": replica.id, "reason": replica.overweight or "not needed"},
        )

    def _start(self, wanted: ReplicaSet, now: float) -> None:
        folder = self._around.replicas / f"{self.name}.{secrets.token_hex(3)}"
        surpassed = [
            replica.restarts + 1 for replica in self.replicas if replica.overweight and not replica.leaving
        ]
        restarts = (self._restarts or surpassed or [0]).pop(0)
        try:
            own = self._around.secrets.filled_in(wanted.variables)
            variables = {**self._around.variables(str(folder)), **own}
            replica = Replica.start(wanted, folder, self._around.sockets, variables, restarts, now)
        except (OSError, LoopwrightError) as error:
            self.failing = f"A replica of {self.name} cannot be started: {error}"
            self._backoff.failed(now)
            return
        self.replicas.append(replica)
        _log.info(
            "a replica starts", extra={"action": "start", "replica": replica.id, "pid": replica.process.pid}
        )

    def stop(self, now: float) -> None:
        """SIGTERM all at once, without draining."""
        self.wanted = None
        for replica in self.replicas:
            replica.drain(now, 0.0)
            replica.retire(now)

    def kill(self) -> None:
        """End all at once."""
        for replica in list(self.replicas):
            self._lose(replica)

    def endpoints(self) -> tuple[str, ...]:
        """The sockets that requests may be sent to. Where none is ready, those that were: better a try than a sure refusal.

        A set that may be asleep has the activators' sockets where it has none of its own.
        """
        were = [replica.socket for replica in self.replicas if replica.state == "not-ready"]
        return (
            self._ready()
            or tuple(were)
            or (self._around.activators.sockets(self.name) if self.standing else ())
        )

    def _ready(self) -> tuple[str, ...]:
        return tuple(replica.socket for replica in self.replicas if replica.state == "ready")

    @property
    def standing(self) -> Standing | None:
        """What the activators are to know of it; None where it never is without replicas."""
        if self.wanted is None or self.wanted.minimum > 0:
            return None
        return Standing(self.wanted, self._ready(), self.failing)

    @property
    def asleep(self) -> bool:
        """Whether it is scaled to zero."""
        return self.wanted is not None and self._since >= 0 and self._scale.wanted == 0

    @property
    def gone(self) -> bool:
        """Whether nothing is wanted and nothing is left."""
        return self.wanted is None and not self.replicas and not self._ending

    @property
    def interval(self) -> float:
        """Seconds until it should look again."""
        settled = all(replica.state == "ready" for replica in self.replicas) and not self._ending
        return self.wanted.scale_interval if self.wanted and settled else _STARTING_INTERVAL

    def status(self) -> ReplicaSetStatus:
        """What is reported."""
        return ReplicaSetStatus(
            name=self.name,
            wanted=self._scale.wanted if self.wanted else 0,
            ready=sum(replica.state == "ready" for replica in self.replicas),
            replicas=tuple(replica.status() for replica in self.replicas),
            failing=self.failing,
            setting=self._setting if self.failing else "",
            held=self._around.activators.held(self.name),
        )
