"""The MLflow server, kept warm: the client's URL must answer whenever a step or a user's script wants to record something.

Its background jobs are off: they cost eight more processes and are not used here. It runs in its own session and is
ended with all its processes; killing only the first leaves orphans.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from loopwright.engines.base import ServiceStatus
from loopwright.engines.local import bounded_log
from loopwright.engines.local.backoff import Backoff
from loopwright.engines.local.kept_process import KeptProcess
from loopwright.engines.local.port_holder import holder
from loopwright.engines.local.ports import is_free
from loopwright.engines.local.probing import Prober, health
from loopwright.log import logger

__all__ = ["SETTINGS", "TrackingServer"]

SETTINGS = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
_NAME = "mlflow"
_STARTING_INTERVAL = 0.25  # seconds between two probes while it starts
_INTERVAL = 5.0
_PORT_AGAIN = 3.0  # seconds between two looks at a port that another program has
_HUNG = 120.0  # seconds without an answer until it is started anew
_log = logger("agent.mlflow")


class TrackingServer:
    """One server; started by the first tick that wants it on a port."""

    def __init__(self, folder: Path, variables: Callable[[str], Mapping[str, str]], prober: Prober) -> None:
        self._folder, self._variables, self._prober = folder, variables, prober
        self._record, self._log_file = folder / "server.json", folder / "log.txt"
        self._process = KeptProcess.found(folder, self._record)
        self._backoff = Backoff()
        self._ready = False
        self._message = ""
        self._answered_at: float | None = None
        self._began_at: float | None = None
        self._probe_at = 0.0
        self._told = False

    def tick(self, port: int, now: float) -> None:
        """See to it that it runs."""
        if self._process is None:
            if self._backoff.allows(now):
                self._start(port, now)
            return
        began = self._began_at = now if self._began_at is None else self._began_at
        if not self._process.alive():
            self._lost(
                f"it ended: {(bounded_log.last_lines(str(self._log_file)) or ['it said nothing'])[-1]}",
                now - began,
                now,
            )
        elif self._process.facts.get("port", port) != port:
            self._lost("another port is wanted", _HUNG, now)
        elif now - (self._answered_at or began) > _HUNG:
            self._lost("it did not answer for a long time", 0.0, now)
        else:
            self._probe(port, now)

    def _start(self, port: int, now: float) -> None:
        if not is_free(port):
            if not self._message:
                _log.error("the tracking server's port is taken", extra={"action": "start", "port": port})
            self._message = (
                f"{holder(port)} has its port {port}. Stop that process: the port is taken as soon as it is free. Or choose "
                "another: `mlflow_port` in settings.json of the state folder, then `loopwright down` and `loopwright up`."
            )
            self._backoff.again_at = now + _PORT_AGAIN
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "artifacts").mkdir(exist_ok=True)
        process = KeptProcess(self._folder, self._record, {"port": port})
        try:
            process.start(
                command(self._folder, port),
                {**self._variables(str(self._folder)), **SETTINGS},
                self._log_file,
            )
        except OSError as error:
            self._message = f"it cannot be started: {error}"
            self._backoff.failed(now)
            return
        self._process, self._began_at, self._answered_at, self._message = process, now, None, ""
        _log.info("the tracking server starts", extra={"action": "start", "pid": process.pid, "port": port})

    def _lost(self, message: str, lived: float, now: float) -> None:
        self._ready, self._message = False, message
        if self._process is not None and self._process.end():
            self._process, self._began_at = None, None
            self._backoff.failed(now, lived)
            _log.warning("the tracking server is lost", extra={"action": "lost", "reason": message})

    def _probe(self, port: int, now: float) -> None:
        answer = self._prober.take(_NAME)
        if answer is not None:
            if answer.ready and not self._ready:
                _log.info("the tracking server is ready", extra={"action": "ready"})
            self._ready, self._message = answer.ready, answer.error
            self._answered_at = now if answer.ready else self._answered_at
        if now >= self._probe_at:
            self._probe_at = now + (_INTERVAL if self._ready else _STARTING_INTERVAL)
            bounded_log.rotate(str(self._log_file))
            self._prober.ask(_NAME, health(port))

    def stop(self) -> None:
        """SIGTERM."""
        if self._process is not None and not self._told:
            self._told = True
            self._process.signal(signal.SIGTERM)

    def finish(self, force: bool = False) -> bool:
        """After `stop`: end what is left once the first process has gone, or at once by `force`; True when nothing is."""
        if self._process is not None and (force or not self._process.alive()) and self._process.end():
            self._process = None
        return self._process is None

    @property
    def interval(self) -> float:
        """Seconds until the next look."""
        return 1.0 if self._ready else _STARTING_INTERVAL

    def status(self) -> ServiceStatus:
        """What is reported."""
        if self._process is None:
            return ServiceStatus(name=_NAME, state="dead", message=self._message)
        return ServiceStatus(
            name=_NAME,
            state="ready" if self._ready else "starting",
            pid=self._process.pid,
            message=self._message,
        )


def command(folder: Path, port: int) -> list[str]:
    """How it is started, in `folder`."""
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
        *("--serve-artifacts", "--artifacts-destination", str(folder / "artifacts")),
    ]
