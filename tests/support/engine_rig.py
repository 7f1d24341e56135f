"""A real local engine in a state folder of its own, and small jobs and replicas for it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from waiting import until

from loopwright import locks
from loopwright.engines.base import Backend, Job, JobStatus, ReplicaSet, ReplicaSetStatus, Route
from loopwright.engines.local.driver import LocalEngine
from loopwright.state import StateFolder

SCORE = "def init():\n    {init}\n\ndef run(data):\n    import json\n    {run}\n    return {{'got': json.loads(data)}}\n"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def runs(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class EngineRig:
    """The engine without a tracking server and control plane, unless asked for."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.state = StateFolder(folder / "home")
        self.options = {"keep_control_plane": False, "tracking": False} | options
        self.environment = dict(os.environ) | {"LOOPWRIGHT_GATEWAY_PORT": str(free_port())}
        self.engine = self.open()

    def open(self) -> LocalEngine:
        """The engine of a new control plane on this state."""
        return LocalEngine(self.state, environment=self.environment, **self.options)

    def reopen(self) -> None:
        self.close()
        self.engine = self.open()

    def close(self) -> None:
        """As if the control plane were killed; its agent is up by then."""
        self.agent()
        self.engine.close()

    def stop(self) -> None:
        """Stop it, and any control plane that its agent has started."""
        if self.options["keep_control_plane"]:
            self.options["keep_control_plane"] = False
            self.reopen()
            for process in self.processes():
                if "loopwright.server" in process.cmdline():
                    process.kill()
        self.engine.stop()

    # jobs

    def submit(self, *command: str, **fields: Any) -> str:
        job = f"job-{uuid.uuid4().hex[:8]}"
        folder = str(self.state.jobs / job)
        self.engine.submit(Job(id=job, workload="w", step="s", command=command, directory=folder, **fields))
        return job

    def python(self, script: str, **fields: Any) -> str:
        return self.submit(sys.executable, "-c", script, **fields)

    def job(self, job: str) -> JobStatus:
        return self.engine.report().jobs[job]

    def running(self, job: str) -> JobStatus:
        return until(lambda: status if (status := self.job(job)).state == "running" else None)

    def ended(self, job: str, seconds: float = 20.0) -> JobStatus:
        return until(
            lambda: status if (status := self.job(job)).state in ("succeeded", "failed") else None, seconds
        )

    def said(self, job: str) -> str:
        log = self.engine.job_log(job)
        return log.read_text() if log.exists() else ""

    # replicas

    def replica_set(self, name: str = "", init: str = "pass", run: str = "pass", **fields: Any) -> ReplicaSet:
        """Values for a set whose scoring script has these lines in init and run."""
        name = name or f"dev--w--{uuid.uuid4().hex[:6]}"
        package = self.folder / name
        (package / "code").mkdir(parents=True)
        (package / "model").mkdir()
        (package / "code" / "score.py").write_text(SCORE.format(init=init, run=run))
        settings = package / "serving.json"
        known = {
            "workload": "w",
            "environment": "dev",
            "revision": name,
            "package": str(package),
            "entry": "score.py",
        }
        settings.write_text(json.dumps(known | {"python": sys.executable, "grace_period": 2.0}))
        defaults: dict[str, Any] = {
            "minimum": 1,
            "maximum": 1,
            "target_utilization": 0.7,
            "scale_interval": 0.2,
            "concurrency": 4,
        }
        return ReplicaSet(
            name=name,
            workload="w",
            environment="dev",
            revision=name,
            settings=str(settings),
            **(defaults | fields),
        )

    def serve(self, **fields: Any) -> str:
        """Want such a set, and wait until it is ready."""
        wanted = self.replica_set(**fields)
        self.engine.set_replicas(wanted)
        self.ready(wanted.name, max(1, wanted.minimum))
        return wanted.name

    def set(self, name: str) -> ReplicaSetStatus:
        return self.engine.report().replica_sets[name]

    def ready(self, name: str, count: int = 1) -> ReplicaSetStatus:
        return until(
            lambda: status if (status := self.set(name)).ready == count == len(status.replicas) else None
        )

    def route(self, *names: str, **fields: Any) -> str:
        """Want a route to these sets alone, wait until it is served; the endpoint's URL."""
        backends = tuple(Backend(replica_set=name) for name in names)
        digest = self.engine.set_routes(
            (Route(environment="dev", workload="w", backends=backends, **({"timeout": 5.0} | fields)),)
        )
        until(lambda: self.engine.report().routes_accepted == digest)
        return self.engine.endpoint("dev", "w")

    def agent(self) -> int:
        """The living agent's pid; asking for a report brings one up."""
        lock = self.state.agent_lock
        return until(lambda: self.engine.report() and locks.held(lock) and int(lock.read_text() or 0))

    def kill_agent(self) -> int:
        """SIGKILL it; the pid of the next one."""
        os.kill(killed := self.agent(), signal.SIGKILL)
        return until(lambda: pid if (pid := self.agent()) != killed else 0)

    # processes

    def processes(self) -> list[psutil.Process]:
        """Everything alive that names the state folder in its command line or works in it."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            words = " ".join(process.cmdline())
            home = str(self.state.root)
            return process.status() != psutil.STATUS_ZOMBIE and (
                home in words or process.cwd().startswith(home)
            )
        except psutil.Error:
            return False


def variables(rig: EngineRig, job: str) -> Mapping[str, str]:
    """What a job that printed its environment as JSON saw."""
    seen: dict[str, str] = json.loads(rig.said(job))
    return seen
