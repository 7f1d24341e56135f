"""SIGKILLs at moments that a seed decides: the control plane, the agent, the tracking server, gateways, replicas, jobs.

Only what the product promises to bear is done to it: of two replicas or two gateways, the second is left alone until the
first has been replaced, and one step's job is killed no more often than it is started again.
"""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from loopwright.cli.client import Client
from loopwright.state import StateFolder

SHORTEST, LONGEST = 0.2, 2.6  # seconds between two kills
LONGEST_DEATH = 10.0  # seconds
WEIGHTS = {"job": 5}  # jobs live shortly; the others are there all the time
KEEPERS = ("control plane", "agent")  # they start each other again
SERVICES = {"gateway": "gateway", "tracking server": "mlflow"}  # kind -> how the agent names it
MOST_EARLY_KILLS = 2  # in succession, before one has come up: on a busy machine, none ever would
MOST_JOB_KILLS = 2  # of one step within one change: the loop starts a lost job again three times


@dataclass(frozen=True)
class Kill:
    """What was killed, and when: from just before the signal until it was gone (seconds since the epoch)."""

    at: float
    target: str
    pid: int
    gone: float


@dataclass
class Killer:
    """Kills what runs of one state folder."""

    home: Path
    seed: int
    kills: list[Kill] = field(default_factory=list)
    _jobs: Counter[str] = field(default_factory=Counter)
    _early: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    @contextmanager
    def at_work(self, most: int) -> Iterator[None]:
        """Kill now and then, until `most` kills were made in all or the block ends."""
        self._jobs.clear()
        over = threading.Event()
        thread = threading.Thread(target=self._run, args=(most, over))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _run(self, most: int, over: threading.Event) -> None:
        while len(self.kills) < most and not over.wait(self._random.uniform(SHORTEST, LONGEST)):
            found = self._victims()
            if found:
                kinds = sorted(found)
                [target] = self._random.choices(kinds, [WEIGHTS.get(kind, 1) for kind in kinds])
                self._kill(target, self._random.choice(found[target]))

    def _kill(self, target: str, victim: psutil.Process) -> None:
        early = self._early[target] + 1 if target in KEEPERS and not self._is_up(target, victim) else 0
        at = time.time()  # before: a client may hear of it sooner than we come to note it
        try:
            if target == "job":
                self._jobs[_step(victim, self.home)] += 1
            victim.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return
        self._early[target] = early
        self.kills.append(Kill(at, target, victim.pid, _await_end(victim)))

    def _victims(self) -> dict[str, list[psutil.Process]]:
        """What may be killed now, by kind."""
        found: dict[str, list[psutil.Process]] = {}
        for process in psutil.process_iter(["cmdline"]):
            target = self._target(process.info["cmdline"] or [])
            if target and self._may(target, process):
                found.setdefault(target, []).append(process)
        return found

    def _target(self, words: list[str]) -> str:
        home = str(self.home)
        if not any(home in word for word in words) or any(
            word.endswith("loopwright.cli.main") for word in words
        ):
            return ""
        if any(f"{home}/jobs/" in word for word in words):
            return "job"
        kinds = {
            "loopwright.server": "control plane",
            "loopwright.engines.local.agent": "agent",
            "mlflow": "tracking server",
            "loopwright.scoring": "replica",
        }
        for word, kind in kinds.items():
            if word in words:
                return kind
        if words[0].endswith("/envoy"):
            return "gateway"
        return "worker" if any(word.endswith("worker_shim.py") for word in words) else ""

    def _may(self, target: str, process: psutil.Process) -> bool:
        if target == "job":
            try:
                return self._jobs[_step(process, self.home)] < MOST_JOB_KILLS
            except psutil.NoSuchProcess:  # ended since it was found
                return False
        if target in KEEPERS:
            return self._early[target] < MOST_EARLY_KILLS or self._is_up(target, process)
        kinds = ("replica", "worker") if target in ("replica", "worker") else (target,)
        earlier = [kill for kill in self.kills if kill.target in kinds]
        return self._whole(target, earlier)

    def _is_up(self, target: str, process: psutil.Process) -> bool:
        """Whether it has come so far as to do its work."""
        if target == "control plane":
            health = Client(StateFolder(self.home)).health()
            return health is not None and health["pid"] == process.pid
        return bool(self._seen()["agent_pid"] == process.pid)

    def _seen(self) -> dict[str, Any]:
        """What the agent said last."""
        try:
            seen: dict[str, Any] = json.loads((self.home / "observed.json").read_bytes())
        except FileNotFoundError:
            return {"at": 0.0, "agent_pid": 0, "report": {"services": {}, "replica_sets": {}}}
        return seen

    def _whole(self, target: str, earlier: list[Kill]) -> bool:
        """Whether the agent has seen, well after the last kill of this kind, that all which it keeps of it is ready."""
        observed = self._seen()
        report = observed["report"]
        if observed["at"] < max((kill.at for kill in earlier), default=0.0) + 1.0:
            return False
        if target in SERVICES:
            names = [name for name in report["services"] if name.startswith(SERVICES[target])]
            parts = [report["services"][name] for name in names]
            whole = len(parts) == (2 if target == "gateway" else 1)
        else:
            sets = report["replica_sets"].values()
            parts = [replica for one in sets for replica in one["replicas"]]
            whole = all(one["ready"] >= one["wanted"] for one in sets)
        killed = {kill.pid for kill in earlier}
        return whole and all(part["state"] == "ready" and part["pid"] not in killed for part in parts)


def _await_end(victim: psutil.Process) -> float:
    """When it was gone: on a busy machine, a process that is killed may have its sockets for a while yet.

    The first thread may have ended, and the process look dead by that, while another has still to be given the processor.
    """
    deadline = time.monotonic() + LONGEST_DEATH
    while time.monotonic() < deadline and _lives(victim):
        time.sleep(0.002)
    return time.time()


def _lives(victim: psutil.Process) -> bool:
    try:
        return victim.is_running() and (victim.status() != psutil.STATUS_ZOMBIE or victim.num_threads() > 1)
    except psutil.NoSuchProcess:
        return False


def _step(process: psutil.Process, home: Path) -> str:
    """The job's step, from its folder's name: WORKLOAD.STEP.INPUTS.ATTEMPT."""
    prefix = f"{home}/jobs/"
    word = next((word for word in process.cmdline() if prefix in word), prefix)
    return word.split(prefix, 1)[1].split("/")[0].rpartition(".")[0]
