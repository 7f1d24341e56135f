"""The agent of a state folder: `python -m loopwright.engines.local.agent --home DIR`, one small detached process.

It alone starts, restarts, scales, drains and reaps jobs, replicas, the gateway's Envoys and the tracking server: what
desired.json wants becomes so, and observed.json says how everything is. All that runs goes on while it is dead, and
the next agent takes it over. The driver in the control plane starts it; it starts the control plane.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from loopwright.engines.base import EngineReport, ServiceStatus
from loopwright.engines.local import bounded_log, processes
from loopwright.engines.local.activator_keeper import Activators
from loopwright.engines.local.control_plane import ControlPlaneKeeper
from loopwright.engines.local.desired import Desired, Observed
from loopwright.engines.local.doorbell import Doorbell, ring
from loopwright.engines.local.gateway_keeper import GatewayKeeper
from loopwright.engines.local.job_keeper import JobKeeper
from loopwright.engines.local.probing import Prober
from loopwright.engines.local.replica_set import Surroundings
from loopwright.engines.local.replica_sets import ReplicaSets
from loopwright.engines.local.tracking_server import TrackingServer
from loopwright.engines.local.variables import for_part
from loopwright.engines.local.wanted_file import WantedFile
from loopwright.errors import LoopwrightError
from loopwright.locks import same_file, take
from loopwright.log import configure, logger
from loopwright.secrets.providers import Secrets
from loopwright.state import StateFolder, replace_file

__all__ = ["Agent", "main"]

_TICK = 1.0  # seconds between two looks where nothing rings
_HEARTBEAT = 2.0  # seconds between two observed.json where nothing has changed
_GRACE = (
    6.0  # seconds that everything has to end by itself when the engine is stopped; a job's own grace is 5
)
_LAST = (
    2.0  # seconds from then until what is left counts as left by a fault of ours, and is ended all the same
)
_log = logger("agent")


class Agent:
    """The loop. Holds nothing that a new one could not find again.

    `lock` is the descriptor of its lock: where that file has gone, the state folder was removed or another agent may
    come up beside this one, and it ends with all that it runs.
    """

    def __init__(self, state: StateFolder, environment: Mapping[str, str], lock: int) -> None:
        self._state, self._lock = state, lock
        self._bell = Doorbell(str(state.sockets / "agent.bell"))
        self._control_bell = str(state.sockets / "control.bell")
        self._file = WantedFile(state.desired)
        variables: Callable[[str], dict[str, str]] = lambda folder: for_part(environment, folder)  # noqa: E731
        self._prober = Prober(self.wake)
        secrets = Secrets(state, environment)
        self._jobs = JobKeeper(state.jobs, self._bell.path, environment, secrets)
        self._gateway = GatewayKeeper(state.gateway, state.sockets)
        activators = Activators(state.activators, state.sockets, variables, self._bell.path)
        self._sets = ReplicaSets(
            Surroundings(
                state.replicas,
                state.sockets,
                variables,
                self._prober,
                self._gateway.drained,
                activators,
                secrets,
            )
        )
        self._tracking = TrackingServer(state.mlflow, variables, self._prober)
        self._control = ControlPlaneKeeper(state, environment)
        self._adopted = False
        self._observed: Observed | None = None
        self._kill_at: float | None = None
        self._heartbeat_at = 0.0
        self._homeless = False

    def wake(self) -> None:
        """Have the loop look at once; from any thread or signal."""
        ring(self._bell.path)

    def run(self) -> None:
        """Look and act until everything is stopped."""
        while True:
            now = time.monotonic()
            desired = self._file.read()
            try:
                if desired is not None and self._step(desired, now):
                    return
            except Exception:
                _log.exception("a round failed", extra={"action": "step"})
                time.sleep(_TICK)
            self._bell.wait(self._interval(desired))

    def _step(self, desired: Desired, now: float) -> bool:
        """One round; True when nothing is left to do, ever."""
        if not self._adopted:
            self._adopted = True
            self._guard(self._jobs.adopt)
            self._guard(self._sets.adopt, now)
        if desired.stopping or self._homeless:
            ended = self._stop(desired, now)
            self._publish(desired, now, last=ended)
            return ended
        self._guard(self._jobs.tick, desired.jobs, desired.cancelled, now)
        self._guard(self._sets.tick, desired.replica_sets, desired.since, now)
        self._guard(self._gateway.tick, desired, self._sets.endpoints(), now)
        if desired.mlflow_port:
            self._guard(self._tracking.tick, desired.mlflow_port, now)
        self._guard(self._control.tick, desired.keep_control_plane, now)
        self._publish(desired, now)
        return False

    def _guard(self, act: Callable[..., None], *arguments: Any) -> None:
        """The root of the loop: a fault in one part must not keep the agent from the others."""
        try:
            act(*arguments)
        except Exception:
            _log.exception("a part of the agent failed", extra={"action": act.__qualname__})

    def _stop(self, desired: Desired, now: float) -> bool:
        """End everything; True once nothing is left."""
        if self._kill_at is None:
            _log.info("stopping", extra={"action": "stop"})
            self._kill_at = now + (0.0 if self._homeless else _GRACE)
            for begin in (self._control.end_starting, self._jobs.stop, self._tracking.stop):
                self._guard(begin)
            self._guard(self._sets.stop, now)
            self._guard(self._gateway.stop, desired, now)
        force = now >= self._kill_at
        if force:
            self._guard(self._jobs.kill)
            self._guard(self._sets.kill)
        self._guard(self._jobs.tick, desired.jobs, desired.cancelled, now)
        self._guard(self._sets.tick, {}, {}, now)
        ended = self._tracking.finish(force) and self._jobs.settled and self._sets.settled
        if not ended and now < self._kill_at + _LAST:
            return False
        # Whatever is left all the same: of a part that failed, or that lost its record.
        left = processes.marked(str(self._state.root)) if not self._homeless else []
        processes.send(left, signal.SIGKILL)
        return not left

    def _publish(self, desired: Desired, now: float, last: bool = False) -> None:
        report = EngineReport(
            jobs=self._jobs.statuses(),
            replica_sets=self._sets.statuses(),
            routes_accepted="" if last else self._gateway.accepted,
            routes_rejected=self._gateway.rejected,
            services={} if last else self._services(desired, now),
        )
        before = self._observed
        changed = before is None or before.report != report or before.generation != desired.generation
        if not changed and now < self._heartbeat_at:
            return
        observed = Observed(
            generation=desired.generation, agent_pid=os.getpid(), at=time.time(), report=report
        )
        try:
            self._homeless = not same_file(self._state.agent_lock, self._lock)
            if not self._homeless:
                replace_file(self._state.observed, msgspec.json.encode(observed))
        except OSError as error:  # a full disk: what runs goes on, and the next round tries again
            _log.error("observed.json cannot be written", extra={"action": "publish", "error": str(error)})
            return
        self._observed, self._heartbeat_at = observed, now + _HEARTBEAT
        if changed:
            ring(self._control_bell)
        self._guard(bounded_log.rotate, str(self._state.agent_log))

    def _services(self, desired: Desired, now: float) -> dict[str, ServiceStatus]:
        tracking = {"mlflow": self._tracking.status()} if desired.mlflow_port else {}
        return tracking | self._gateway.services(now)

    def _interval(self, desired: Desired | None) -> float:
        if desired is None:
            return _TICK
        if desired.stopping or self._homeless:
            return 0.02
        tracking = self._tracking.interval if desired.mlflow_port else _TICK
        return min(tracking, self._sets.interval, self._gateway.interval)

    def close(self) -> None:
        """Leave no socket behind; call it when everything is stopped."""
        self._prober.close()
        self._bell.close()
        for socket in self._state.sockets.glob("r-*.sock"):
            socket.unlink(missing_ok=True)


def main() -> None:
    """Run the agent of one state folder until it is stopped."""
    parser = argparse.ArgumentParser(
        prog="python -m loopwright.engines.local.agent", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--home", help="state folder; else $LOOPWRIGHT_HOME, else ~/.loopwright")
    state = StateFolder.resolve(parser.parse_args().home)
    configure()
    try:
        state.create()
    except LoopwrightError as error:
        sys.exit(error.message)
    lock = take(state.agent_lock)
    if lock is None:
        _log.info("another agent runs", extra={"action": "leave"})
        return
    agent = Agent(state, os.environ, lock)
    # Children that end wake the loop. SIGTERM is what a machine that shuts down sends to all: what runs is found again.
    signal.signal(signal.SIGCHLD, lambda *_: agent.wake())
    signal.signal(signal.SIGHUP, lambda *_: None)
    _log.info("the agent is up", extra={"action": "start", "pid": os.getpid(), "home": str(state.root)})
    agent.run()
    agent.close()
    _log.info("everything is stopped", extra={"action": "end"})


if __name__ == "__main__":
    main()
