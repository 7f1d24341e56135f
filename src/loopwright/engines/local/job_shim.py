"""A job's own small parent: `python -m loopwright.engines.local.job_shim FOLDER BELL`, one process for each job.

The agent starts it in a session of its own and may then die: the shim runs the command that FOLDER/job.json names, keeps
its output, holds it to its limits, ends all that it started, and writes exit.json. It rings BELL (the agent's doorbell
socket) when it is done. The values of the job's secrets come over its standard input. Started for every job, so it imports little and no other package.

CANCEL ends the job for good; SIGTERM, from a machine that shuts down or an engine that is stopped, ends it as `lost`:
it failed through no fault of its own and may be started again under another id.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

from loopwright.engines.local import job_files, processes
from loopwright.engines.local.bounded_log import BoundedLog
from loopwright.engines.local.doorbell import ring
from loopwright.engines.local.job_output import Output
from loopwright.secrets.masking import VARIABLES, Masker

__all__ = ["CANCEL", "GRACE", "Shim", "main"]

CANCEL = signal.SIGUSR1
GRACE = 5.0  # seconds between SIGTERM and SIGKILL
_LOOK = 0.1  # seconds between two looks at memory and time
_FAREWELL = 1.0  # seconds that children left behind have to go by themselves


class Shim:
    """Runs one claimed job to its end."""

    def __init__(self, job: job_files.Record, output: Output, secrets: dict[str, str]) -> None:
        self._job, self._output, self._secrets = job, output, secrets
        self._reason = ""
        self._told = ""  # the reason that a signal gave
        self._kill_at: float | None = None
        self._peak = 0
        self._awake, wake = os.pipe()
        for descriptor in (self._awake, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        # Handlers, not SIG_IGN: what is ignored stays ignored in the command, a handler does not.
        signal.signal(CANCEL, self._end_it)
        signal.signal(signal.SIGTERM, self._end_it)
        for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, lambda *_: None)

    def run(self) -> job_files.Record:
        """Run the command; returns what exit.json says."""
        started_at = time.time()
        try:
            command = self._start()
        except (OSError, ValueError) as error:
            self._output.note(f"{self._job['command'][0]} cannot be started: {error}")
            exit_code, self._reason = None, "start"
        else:
            exit_code = self._watch(command)
        self._output.finish()
        reason = self._reason or _reason(exit_code)
        return {
            "state": "failed" if reason else "succeeded",
            "reason": reason,
            "exit_code": exit_code,
            "started_at": started_at,
            "ended_at": time.time(),
            "peak_memory": self._peak or None,
        }

    def _start(self) -> subprocess.Popen[bytes]:
        folder = self._job["directory"]
        try:
            return subprocess.Popen(
                self._job["command"],
                cwd=self._job["working_directory"] or folder,
                env={
                    "PYTHONUNBUFFERED": "1",
                    **os.environ,
                    **self._job["variables"],
                    **self._secrets,
                    processes.MARK: folder,
                },
                stdin=subprocess.DEVNULL,
                stdout=self._output.writing,
                stderr=self._output.writing,
                preexec_fn=processes.die_with_parent,  # one thread here: no lock can be held at the fork
                process_group=0,
            )
        finally:
            self._output.started()

    def _watch(self, command: subprocess.Popen[bytes]) -> int:
        now = began = time.monotonic()
        look_at = began
        while command.poll() is None:
            if now >= look_at:
                self._look(command.pid, now - began)
                look_at = now + _LOOK
            self._wait(look_at - now)
            now = time.monotonic()
        self._end_leftovers()
        self._peak = max(self._peak, _largest_child())
        return command.returncode

    def _wait(self, seconds: float) -> None:
        """Keep output as it comes, for so long or until a signal."""
        descriptors = [one for one in (self._awake, self._output.reading) if one >= 0]
        readable = select.select(descriptors, [], [], max(0.0, seconds))[0]
        if self._awake in readable:
            os.read(self._awake, 4096)
        self._output.keep()

    def _look(self, command: int, elapsed: float) -> None:
        tree = processes.descendants(os.getpid())
        _reap(pid for pid in tree if pid != command)
        limit, longest = self._job["memory"], self._job["max_duration"]
        used = processes.memory(tree, limit)
        self._peak = max(self._peak, used)
        if self._kill_at is not None:
            if time.monotonic() >= self._kill_at:
                processes.send(tree, signal.SIGKILL)
        elif self._told:
            self._terminate(self._told, "cancelled" if self._told == "cancelled" else "ended with the engine")
        elif longest is not None and elapsed > longest:
            self._terminate("max_duration", f"ended: it ran longer than its {longest:g} s")
        elif limit is not None and used > limit:
            self._terminate(
                "memory", f"ended: it used {used} bytes of memory, more than its {limit}", grace=0.0
            )

    def _terminate(self, reason: str, note: str, grace: float = GRACE) -> None:
        self._reason = reason
        self._output.note(note)
        self._kill_at = time.monotonic() + grace
        processes.send(processes.descendants(os.getpid()), signal.SIGTERM if grace else signal.SIGKILL)

    def _end_leftovers(self) -> None:
        """End what the command left in the background, and keep what it still says."""
        kill_at, told = time.monotonic() + _FAREWELL, False
        while tree := processes.descendants(os.getpid()):
            if time.monotonic() > kill_at:
                processes.send(tree, signal.SIGKILL)
            elif not told:
                processes.send(tree, signal.SIGTERM)
                told = True
            _reap(tree)
            self._wait(0.01)

    def _end_it(self, number: int, _: object) -> None:
        self._told = self._told or ("cancelled" if number == CANCEL else "lost")


def _reap(pids: Iterable[int]) -> None:
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # a grandchild: its own parent's to reap
            continue


def _reason(exit_code: int | None) -> str:
    if exit_code == 0:
        return ""
    return "signal" if exit_code is not None and exit_code < 0 else "exit"


def _largest_child() -> int:
    """The memory that one ended process held at most: it shows what rose and fell between two looks."""
    unit = 1024 if sys.platform == "linux" else 1
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit


def _record_exit(folder: str, record: job_files.Record) -> None:
    """Write exit.json. A full disk is waited out: nobody else knows the result. A removed folder has nobody to tell."""
    while True:
        try:
            job_files.create_once(folder, job_files.EXIT, record)
        except FileNotFoundError:
            return
        except OSError as error:
            print(f"{folder}/exit.json cannot be written, trying again: {error}", file=sys.stderr)
            time.sleep(1)
        else:
            return


def main() -> None:
    """Claim the job and run it; do nothing where another has claimed it."""
    folder, bell = sys.argv[1], sys.argv[2]
    processes.become_subreaper()
    job = job_files.read(folder, job_files.JOB)
    if job is None:
        sys.exit(f"{folder}/job.json is missing: this program is started by the agent")
    secrets: dict[str, str] = json.loads(
        sys.stdin.buffer.read() or b"{}"
    )  # variable -> value; nowhere on a disk
    output = Output(BoundedLog(f"{folder}/{job_files.LOG}"), Masker(secrets.values()))
    named = {VARIABLES: ",".join(secrets)} if secrets else {}
    shim = Shim(job, output, secrets | named)
    me = {"pid": os.getpid(), "started": processes.started(os.getpid()), "at": time.time()}
    if job_files.create_once(folder, job_files.START, me):
        ring(bell)
        _record_exit(folder, shim.run())
    ring(bell)


if __name__ == "__main__":
    main()
