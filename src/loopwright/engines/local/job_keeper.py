"""The agent's jobs: a shim is started for each that is wanted, an ended one is told from its files.

Which of two shims, or shim and agent, may decide about a job is settled by the files alone (see `job_files`), so the
keeper needs no memory: killed and started again it finds every job where it stands.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from loopwright.engines.base import Job, JobStatus
from loopwright.engines.local import job_files, processes
from loopwright.engines.local.job_shim import CANCEL
from loopwright.engines.local.variables import for_part
from loopwright.errors import LoopwrightError
from loopwright.log import logger
from loopwright.secrets.providers import Secrets
from loopwright.secrets.references import referred
from loopwright.state import replace_file

__all__ = ["JobKeeper", "KeptJob"]

_SHIM = "loopwright.engines.local.job_shim"
_AGAIN = 1.0  # seconds between two tries to start or to end
_log = logger("agent.jobs")


@contextmanager
def _handed(values: Mapping[str, str]) -> Iterator[int]:
    """A standard input with the values of a job's secrets: in memory alone, and on no command line."""
    if not values:
        yield subprocess.DEVNULL
        return
    descriptor = os.memfd_create("loopwright-secrets")
    try:
        os.write(descriptor, msgspec.json.encode(values))
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


class KeptJob:
    """One job, from wanted to ended."""

    def __init__(self, job: Job, secrets: Secrets) -> None:
        self.job = job
        self._secrets = secrets
        self.status = JobStatus(id=job.id, state="pending")
        self.cancelled = False
        self.stopping = False
        self._shim: subprocess.Popen[bytes] | None = None
        self._claim: job_files.Record | None = None
        self._told_at = self._tried_at = float("-inf")

    @property
    def ended(self) -> bool:
        return self.status.state in ("succeeded", "failed")

    @property
    def at_rest(self) -> bool:
        """Whether no process of it is left to wait for."""
        return (
            self.ended
            and (self._shim is None or self._shim.poll() is not None)
            and not (self._claim and self._alive(self._claim))
        )

    @property
    def begun(self) -> bool:
        """Whether a process of it may run or be on its way."""
        return not self.at_rest and (self._claim is not None or self._shim is not None or self._attempted())

    def look(self, variables: Mapping[str, str], bell: str, now: float) -> None:
        """Bring it on as far as it goes now. Raises OSError where the disk or the system refuses."""
        if self.ended:
            return
        try:
            self._claim = self._claim or job_files.read(self.job.directory, job_files.START)
            if self._take_exit():
                return
        except (ValueError, msgspec.ValidationError) as error:
            self._give_up(error)
            return
        if self._claim is None:
            self._start(variables, bell, now)
        elif self._alive(self._claim):
            self.status = JobStatus(
                id=self.job.id, state="running", started_at=self._claim["at"], pid=self._claim["pid"]
            )
            if (self.cancelled or self.stopping) and now - self._told_at > _AGAIN:
                self._told_at = now
                processes.send([self._claim["pid"]], CANCEL if self.cancelled else signal.SIGTERM)
        elif not self._take_exit() and now - self._tried_at > _AGAIN:
            self._tried_at = now
            self._bury(self._claim)

    def _give_up(self, error: Exception) -> None:
        """Its own files are damaged, so nobody can tell how it stands: end what may run of it. The loop tries again."""
        pid = self._shim.pid if self._shim is not None else -1
        if processes.end(pid, self.job.directory, patience=0.5):
            self.status = JobStatus(id=self.job.id, state="failed", reason="lost", ended_at=time.time())
            fields = {"action": "job", "job": self.job.id, "error": str(error)}
            _log.error("a job's files are damaged, and it counts as lost", extra=fields)

    def kill(self) -> None:
        """End it now, with all its processes."""
        if self._claim is not None and not self.ended:
            self._bury(self._claim)

    def _take_exit(self) -> bool:
        record = job_files.read(self.job.directory, job_files.EXIT)
        if record is None:
            return False
        self.status = msgspec.convert(record | {"id": self.job.id, "pid": None}, JobStatus)
        return True

    def _start(self, variables: Mapping[str, str], bell: str, now: float) -> None:
        if self.cancelled or self.stopping or (self._shim is not None and self._shim.poll() is not None):
            self._refuse()
        elif self._shim is None and now - self._tried_at > _AGAIN:
            self._tried_at = now
            folder = Path(self.job.directory)
            folder.mkdir(parents=True, exist_ok=True)
            try:
                values = {
                    name: self._secrets.value(one) for name, one in referred(self.job.variables).items()
                }
            except LoopwrightError as error:
                self._cannot_start(error.message)
                return
            replace_file(folder / job_files.JOB, msgspec.json.encode(self.job))
            with _handed(values) as standard_input:
                self._shim = subprocess.Popen(
                    [sys.executable, "-m", _SHIM, self.job.directory, bell],
                    cwd=folder,
                    env=for_part(variables, self.job.directory),
                    stdin=standard_input,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )

    def _cannot_start(self, why: str) -> None:
        """A secret is not there: the job has failed before it began, and its log says why."""
        if job_files.create_once(
            self.job.directory, job_files.START, {"pid": None, "started": None, "at": time.time()}
        ):
            replace_file(Path(self.job.directory) / job_files.LOG, f"[loopwright] {why}\n".encode())
            self._write_exit("start")

    def _refuse(self) -> None:
        """See to it that it never starts; where its shim was quicker the next look finds it running."""
        if self.stopping and not self.cancelled and not self._attempted():
            return  # never begun: it may be submitted again
        Path(self.job.directory).mkdir(parents=True, exist_ok=True)
        if job_files.create_once(
            self.job.directory, job_files.START, {"pid": None, "started": None, "at": time.time()}
        ):
            self._write_exit("cancelled" if self.cancelled else "lost")

    def _attempted(self) -> bool:
        return (Path(self.job.directory) / job_files.JOB).exists()

    def _alive(self, claim: job_files.Record) -> bool:
        if claim["pid"] is None:
            return False
        if self._shim is not None and self._shim.pid == claim["pid"]:
            return self._shim.poll() is None
        return processes.alive(claim["pid"], claim["started"])

    def _bury(self, claim: job_files.Record) -> None:
        """The shim is dead and left no result: end what it left and say so."""
        if processes.end(claim["pid"] or -1, self.job.directory, claim["started"] or "", patience=0.5):
            self._write_exit("cancelled" if self.cancelled else "lost")

    def _write_exit(self, reason: str) -> None:
        at = self._claim["at"] if self._claim and self._claim["pid"] else None
        record = {
            "state": "failed",
            "reason": reason,
            "exit_code": None,
            "started_at": at,
            "ended_at": time.time(),
            "peak_memory": None,
        }
        job_files.create_once(self.job.directory, job_files.EXIT, record)
        self._take_exit()


class JobKeeper:
    """All jobs of a state folder."""

    def __init__(self, jobs: Path, bell: str, variables: Mapping[str, str], secrets: Secrets) -> None:
        self._secrets = secrets
        self._folder, self._bell, self._variables = jobs, bell, variables
        self._kept: dict[str, KeptJob] = {}
        self._troubled: dict[str, str] = {}
        self._stopping = False

    def adopt(self) -> None:
        """Find jobs that began and have not ended: what nobody wants any more must end, too."""
        for start in self._folder.glob(f"*/{job_files.START}"):
            folder = start.parent
            if not (folder / job_files.EXIT).exists():
                try:
                    job = msgspec.json.decode((folder / job_files.JOB).read_bytes(), type=Job)
                except (OSError, msgspec.DecodeError) as error:
                    _log.error(
                        "a job's folder cannot be read",
                        extra={"action": "adopt", "folder": str(folder), "error": str(error)},
                    )
                    continue
                self._kept[job.id] = KeptJob(job, self._secrets)

    def tick(self, jobs: Mapping[str, Job], cancelled: Collection[str], now: float) -> None:
        """Bring every job on."""
        for job_id in jobs.keys() - self._kept.keys():
            self._kept[job_id] = KeptJob(jobs[job_id], self._secrets)
        for job_id, kept in list(self._kept.items()):
            kept.cancelled = kept.cancelled or job_id in cancelled
            kept.stopping = self._stopping or job_id not in jobs
            self._guard(kept, partial(kept.look, self._variables, self._bell, now))
            if kept.at_rest and job_id not in jobs:
                del self._kept[job_id]

    def _guard(self, kept: KeptJob, act: Callable[[], None]) -> None:
        """What one job meets must not hold up the others."""
        try:
            act()
            self._troubled.pop(kept.job.id, None)
        except (OSError, ValueError) as error:
            if self._troubled.get(kept.job.id) != str(error):
                self._troubled[kept.job.id] = str(error)
                fields = {"action": "job", "job": kept.job.id, "error": str(error)}
                _log.error("a job cannot be brought on", extra=fields)

    def stop(self) -> None:
        """Start nothing more and end what runs."""
        self._stopping = True

    def kill(self) -> None:
        """End what still runs, now."""
        for kept in self._kept.values():
            self._guard(kept, kept.kill)

    @property
    def settled(self) -> bool:
        """Whether no job runs or is about to."""
        return not any(kept.begun for kept in self._kept.values())

    def statuses(self) -> dict[str, JobStatus]:
        """How every job stands."""
        return {job_id: kept.status for job_id, kept in self._kept.items()}
