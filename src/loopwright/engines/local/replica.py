"""One replica as the agent sees it: its process, what it last said of itself, and where it is in its life.

starting --ready--> ready <--> not-ready          any of them --told to go--> draining --ended--> gone
    \\---- did not come up ----\\--- died, hung, too large --> ended, and replaced
"""

from __future__ import annotations

import secrets
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from loopwright.engines.base import ReplicaSet, ReplicaState, ReplicaStatus
from loopwright.engines.local import bounded_log
from loopwright.engines.local.kept_process import KeptProcess
from loopwright.engines.local.probing import Answer
from loopwright.log import logger

_log = logger("agent.replicas")

__all__ = ["LOG", "RECORD", "Replica"]

LOG = "log.txt"
RECORD = "replica.json"
_MISSED = 3  # probes without an answer until it counts as not ready: a busy machine is slow to answer
_HUNG = 30.0  # seconds not ready until it is replaced
_MARGIN = 2.0  # seconds beyond its own grace period until it is killed


class _Settings(msgspec.Struct):
    """The part of serving.json that the agent reads."""

    grace_period: float = 10.0


class Replica:
    """Everything about one; the clock is monotonic seconds, passed in."""

    def __init__(self, process: KeptProcess, now: float) -> None:
        self.process = process
        self.id = process.folder.name
        self.set_name: str = process.facts["set"]
        self.socket: str = process.facts["socket"]
        self.restarts: int = process.facts["restarts"]
        self.state: ReplicaState = "ready" if process.facts.get("ready") else "starting"
        self.born = now  # to this agent
        self.ready_at: float | None = now if self.state == "ready" else None
        self.overweight = ""
        self.answer = Answer()
        self._missed = 0
        self._unready_since: float | None = None
        self._kill_at: float | None = None
        self.probe_at = now
        self.drain_until = 0.0

    @classmethod
    def start(
        cls,
        wanted: ReplicaSet,
        folder: Path,
        sockets: Path,
        variables: Mapping[str, str],
        restarts: int,
        now: float,
    ) -> Replica:
        """Start a new one in its own folder. Raises OSError where the system refuses."""
        folder.mkdir(parents=True)
        socket = str(sockets / f"r-{secrets.token_hex(4)}.sock")
        facts = {
            "set": wanted.name,
            "socket": socket,
            "restarts": restarts,
            "grace": _grace_period(wanted.settings),
        }
        replica = cls(KeptProcess(folder, folder / RECORD, facts), now)
        command = [
            sys.executable,
            "-m",
            "loopwright.scoring",
            "--settings",
            wanted.settings,
            "--socket",
            socket,
        ]
        replica.process.start(command, variables, folder / LOG)
        return replica

    @classmethod
    def adopt(cls, folder: Path, now: float) -> Replica | None:
        """The one that an earlier agent left in this folder, alive or not."""
        process = KeptProcess.found(folder, folder / RECORD)
        return (
            cls(process, now)
            if process is not None and process.facts.keys() >= {"set", "socket", "restarts"}
            else None
        )

    @property
    def log(self) -> Path:
        return self.process.folder / LOG

    @property
    def load(self) -> int:
        """Requests in it."""
        return self.answer.in_flight + self.answer.queued

    @property
    def leaving(self) -> bool:
        return self.state == "draining"

    def hear(self, answer: Answer, now: float) -> None:
        """Take in what it says of itself."""
        if answer.error:
            self._missed += 1
            if self.state == "ready" and self._missed >= _MISSED:
                self._become("not-ready", now)
                self.answer = answer
            return
        self._missed = 0
        self.answer = answer
        if answer.ready and self.state in ("starting", "not-ready"):
            self._become("ready", now)
        elif not answer.ready and self.state == "ready":
            self._become("not-ready", now)

    def _become(self, state: ReplicaState, now: float) -> None:
        self.state = state
        self._unready_since = now if state == "not-ready" else None
        if state == "ready" and self.ready_at is None:
            self.ready_at = now
            try:
                self.process.note(ready=True)
            except OSError as error:  # a full disk: the next agent will have to ask it
                _log.error(
                    "a replica's record cannot be written", extra={"action": "ready", "error": str(error)}
                )

    def hung(self, now: float) -> bool:
        """Whether it has been not ready for so long that another should take its place."""
        return self._unready_since is not None and now - self._unready_since > _HUNG

    def drain(self, now: float, patience: float) -> None:
        """It is to go: no new requests, then SIGTERM, at the latest after `patience` seconds."""
        self.state = "draining"
        self.drain_until = now + patience

    def retire(self, now: float) -> None:
        """SIGTERM, once, and SIGKILL when its grace period is over."""
        if self._kill_at is None:
            self._kill_at = now + float(self.process.facts.get("grace", 10.0)) + _MARGIN
            self.process.signal(signal.SIGTERM)

    def overdue(self, now: float) -> bool:
        """Whether it was told to end and did not."""
        return self._kill_at is not None and now >= self._kill_at

    def end(self) -> bool:
        """Kill whatever is left of it; True once nothing is."""
        gone = self.process.end()
        if gone:
            Path(self.socket).unlink(missing_ok=True)
        return gone

    def last_words(self) -> str:
        """Why it did not come up, as it told it: why its initialisation failed, else the last that it said."""
        lines = bounded_log.last_lines(str(self.log))
        told = [line for line in lines if line.startswith("init failed:")]
        said = told or [message for message in (*lines, self.answer.message) if message]
        return said[-1][:1000] if said else "it said nothing"

    def status(self) -> ReplicaStatus:
        """What is reported."""
        return ReplicaStatus(
            id=self.id,
            state=self.state,
            pid=self.process.pid,
            socket=self.socket,
            restarts=self.restarts,
            message=self.overweight or self.answer.message or self.answer.error,
            in_flight=self.load,
        )


def _grace_period(settings: str) -> float:
    try:
        return msgspec.json.decode(Path(settings).read_bytes(), type=_Settings).grace_period
    except (OSError, msgspec.DecodeError):  # the replica itself will say what is wrong with the file
        return _Settings().grace_period
