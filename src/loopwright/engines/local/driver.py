"""The local engine as the control plane uses it: it writes what is wanted, reads what the agent observed, and sees to it
that an agent lives."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from loopwright.engines.base import Engine, EngineReport, Job, JobStatus, ReplicaSet, ReplicaSetStatus, Route
from loopwright.engines.local import job_files
from loopwright.engines.local.agent_starter import AgentStarter, agent_runs
from loopwright.engines.local.desired import Desired, GatewaySettings, Observed, belongs, routes_digest
from loopwright.engines.local.doorbell import Doorbell, ring
from loopwright.engines.local.logs import StoredLogs
from loopwright.engines.local.ports import chosen
from loopwright.engines.local.replica import LOG
from loopwright.engines.local.unix_http import ask
from loopwright.errors import ConflictError, EngineError, IntegrityError, TemporaryError
from loopwright.log import logger
from loopwright.state import StateFolder, replace_file

__all__ = ["LocalEngine", "agent_runs"]

_DISK_DELAY = 5.0  # seconds until a disk that refused is asked again
_STOP_PATIENCE = 60.0  # seconds that stopping everything may take
_log = logger("engine")


class LocalEngine(Engine):
    """Jobs, replicas and routes on this machine. One lives per state folder; its methods may be called from any thread."""

    name = "local"

    def __init__(
        self,
        state: StateFolder,
        start: bool = True,
        keep_control_plane: bool = True,
        tracking: bool = True,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Take up what was wanted before; `start` starts the agent, and what was stopped, again: all but jobs.

        `keep_control_plane`: the agent starts the control plane again where it dies. `tracking`: it keeps an MLflow server.
        """
        state.create()
        self._state = state
        self._lock = threading.RLock()
        self._agent = AgentStarter(state, environment)
        self._ports = chosen(state.settings, environment)
        self._desired = self._load()
        self._bell = Doorbell(str(state.sockets / "control.bell"))
        if start:
            again: dict[str, Any] = (
                {"jobs": {}, "cancelled": (), "stopping": False} if self._desired.stopping else {}
            )
            port = self._ports.mlflow_port if tracking else 0
            self._change(keep_control_plane=keep_control_plane, mlflow_port=port, **again)
            self.ensure_agent()

    def submit(self, job: Job) -> None:
        with self._lock:
            if job.id not in self._desired.jobs:
                self._change(jobs=self._desired.jobs | {job.id: job})

    def cancel(self, job_id: str) -> None:
        with self._lock:
            if job_id in self._desired.jobs and job_id not in self._desired.cancelled:
                self._change(cancelled=(*self._desired.cancelled, job_id))

    def forget(self, job_id: str) -> None:
        """Raises ConflictError where the job has not ended: cancel it first."""
        with self._lock:
            if job_id not in self._desired.jobs:
                return
            state = self._job(job_id, self._observed()).state
            if state in ("pending", "running"):
                raise ConflictError(f"The job {job_id} is {state} and cannot be forgotten; cancel it first.")
            jobs = {name: job for name, job in self._desired.jobs.items() if name != job_id}
            self._change(
                jobs=jobs, cancelled=tuple(name for name in self._desired.cancelled if name != job_id)
            )

    def set_replicas(self, replica_set: ReplicaSet) -> None:
        with self._lock:
            if self._desired.replica_sets.get(replica_set.name) != replica_set:
                since = {replica_set.name: self._desired.generation + 1} | self._desired.since
                self._change(
                    replica_sets=self._desired.replica_sets | {replica_set.name: replica_set}, since=since
                )

    def remove_replicas(self, name: str) -> None:
        with self._lock:
            if name in self._desired.replica_sets:
                left, since = dict(self._desired.replica_sets), dict(self._desired.since)
                del left[name]
                since.pop(name, None)
                self._change(replica_sets=left, since=since)

    def probe(self, name: str, body: bytes, timeout: float) -> list[tuple[int, bytes]]:
        """Raises EngineError where a ready replica does not answer."""
        status = self.report().replica_sets.get(name)
        answers = []
        for replica in status.replicas if status else ():
            if replica.state == "ready":
                try:
                    answers.append(ask(replica.socket, "/score", timeout, body))
                except OSError as error:
                    raise EngineError(
                        f"The replica {replica.id} did not answer: {error}. Its log is {self._state.replicas / replica.id / LOG}."
                    ) from error
        return answers

    def set_routes(self, routes: tuple[Route, ...]) -> str:
        with self._lock:
            if self._desired.routes != routes:
                self._change(routes=routes)
        return routes_digest(routes)

    def routes_digest(self, routes: tuple[Route, ...]) -> str:
        return routes_digest(routes)

    def ring(self) -> None:
        ring(self._bell.path)

    def report(self) -> EngineReport:
        """Also starts the agent again where it has died. What it has not seen yet is pending."""
        self.ensure_agent()
        observed, desired = self._observed(), self._desired
        missing = {
            name: _unseen(wanted)
            for name, wanted in desired.replica_sets.items()
            if name not in observed.replica_sets
        }
        return msgspec.structs.replace(
            observed,
            jobs={job_id: self._job(job_id, observed) for job_id in desired.jobs},
            replica_sets=observed.replica_sets | missing,
        )

    def wait(self, timeout: float) -> None:
        self._bell.wait(timeout)

    def endpoint(self, environment: str, workload: str) -> str:
        return f"http://127.0.0.1:{self._desired.gateway.port}/{environment}/{workload}/score"

    def tracking_url(self) -> str:
        return f"http://127.0.0.1:{self._ports.mlflow_port}"

    def job_log(self, job_id: str) -> Path:
        job = self._desired.jobs.get(job_id)
        return (Path(job.directory) if job else self._state.jobs / job_id) / job_files.LOG

    def replica_logs(self, name: str) -> list[Path]:
        return StoredLogs(self._state).replica_logs(name)

    @property
    def stopping(self) -> bool:
        """Whether everything was wanted ended last."""
        return self._desired.stopping

    def ensure_agent(self) -> None:
        """Start an agent where none lives, unless everything is to be stopped."""
        if not self._desired.stopping:
            self._agent.ensure()

    def stop(self) -> None:
        """Raises EngineError where it does not end in time."""
        with self._lock:
            self._change(stopping=True)
        deadline = time.monotonic() + _STOP_PATIENCE
        while agent_runs(self._state) or self._generation() < self._desired.generation:
            if time.monotonic() > deadline:
                raise EngineError(
                    f"The agent did not end within {_STOP_PATIENCE:g} s. See {self._state.agent_log}."
                )
            if self._generation() < self._desired.generation:
                self._agent.ensure()  # only an agent ends what a dead one left
            self._bell.wait(0.05)
        self._agent.reap()
        self.close()

    def close(self) -> None:
        """Let go of the doorbell; all that runs goes on."""
        self._bell.close()

    def _load(self) -> Desired:
        nothing = Desired(gateway=GatewaySettings(port=self._ports.gateway_port), mlflow_port=0)
        try:
            wanted = msgspec.json.decode(self._state.desired.read_bytes(), type=Desired)
            if not belongs(wanted, self._state.root):  # the loop asks again for all that is to run here
                wanted = msgspec.structs.replace(nothing, generation=wanted.generation)
        except FileNotFoundError:
            wanted = nothing
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise IntegrityError(
                f"{self._state.desired} is not what was written: {error}. Remove it: all that is wanted is asked for again."
            ) from error
        gateway = msgspec.structs.replace(wanted.gateway, port=self._ports.gateway_port)
        return msgspec.structs.replace(wanted, gateway=gateway, home=str(self._state.root))

    def _change(self, **fields: Any) -> None:
        desired = msgspec.structs.replace(self._desired, generation=self._desired.generation + 1, **fields)
        try:
            replace_file(self._state.desired, msgspec.json.encode(desired), durable=True)
        except OSError as error:
            raise TemporaryError(
                f"{self._state.desired} cannot be written: {error.strerror}. Make room on the disk, or mend its permissions.",
                _DISK_DELAY,
            ) from error
        self._desired = desired
        ring(str(self._state.sockets / "agent.bell"))

    def _observed(self) -> EngineReport:
        """What the agent told last; of a set that it has not seen wanted yet, nothing: that was an earlier one."""
        observed = self._read_observed()
        if observed is None:
            return EngineReport()
        sets = {
            name: status
            for name, status in observed.report.replica_sets.items()
            if self._desired.since.get(name, 0) <= observed.generation
        }
        return msgspec.structs.replace(observed.report, replica_sets=sets)

    def _generation(self) -> int:
        observed = self._read_observed()
        return observed.generation if observed is not None else -1

    def _read_observed(self) -> Observed | None:
        try:
            return msgspec.json.decode(self._state.observed.read_bytes(), type=Observed)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the agent will replace it within seconds
            _log.error("observed.json cannot be read", extra={"action": "report", "error": str(error)})
            return None

    def _job(self, job_id: str, observed: EngineReport) -> JobStatus:
        return observed.jobs.get(job_id) or JobStatus(id=job_id, state="pending")


def _unseen(wanted: ReplicaSet) -> ReplicaSetStatus:
    return ReplicaSetStatus(name=wanted.name, wanted=wanted.minimum, ready=0)
