"""A server under measurement: started, awaited until it answers well, looked at, and ended with all that it started."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

LONGEST_WAIT = 90.0  # seconds for an answer
_ENDING = 10.0  # seconds from SIGTERM to SIGKILL
# One thread in numerical libraries, on all sides: a server is compared, not how many cores one request may take.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _schedule(process: psutil.Process, policy: int) -> None:
    """Have all threads of a process scheduled like that."""
    for thread in process.threads():
        with contextlib.suppress(ProcessLookupError):  # it ended just now
            os.sched_setscheduler(thread.id, policy, os.sched_param(int(policy == os.SCHED_RR)))


class Server:
    """A process tree that answers HTTP on `port`; a context in which it runs."""

    def __init__(
        self, command: Sequence[str], port: int, log: Path, cwd: Path, variables: Mapping[str, str]
    ) -> None:
        self._command = command
        self._port = port
        self._log = log
        self._cwd = cwd
        self._variables = os.environ | ONE_THREAD | variables

    def __enter__(self) -> Server:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._began = time.perf_counter()
            self._process = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tree = self._tree()
        self.resume()
        self._signal(signal.SIGTERM)
        _, left = psutil.wait_procs(tree, timeout=_ENDING)
        self._signal(signal.SIGKILL)
        for process in left:  # those that made a group of their own
            if process.is_running():
                process.kill()
        self._process.wait()

    def await_answer(self, path: str, body: bytes) -> float:
        """Ask until the answer is a 200; returns the seconds from the process's start until then."""
        asked = time.perf_counter()
        while True:
            if self.ask(path, body) is not None:
                return time.perf_counter() - self._began
            if self._process.poll() is not None or time.perf_counter() - asked > LONGEST_WAIT:
                raise AssertionError(f"{self._command[0]} did not come up: {self._log.read_text()[-2000:]}")
            time.sleep(0.005)

    def ask(self, path: str, body: bytes) -> Any:
        """The answer to one request, or None where it is no 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("POST", path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            content = response.read()
            return json.loads(content) if response.status == 200 else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def resident(self) -> float:
        """Bytes of memory that it holds: of one process the resident set; of several, what they share is counted once."""
        tree = self._tree()
        if len(tree) == 1:
            return float(tree[0].memory_info().rss)
        return float(sum(process.memory_full_info().pss for process in tree))

    def processor_seconds(self) -> float:
        """Processor time that all of its processes have used."""
        times = [process.cpu_times() for process in self._tree()]
        return float(sum(one.user + one.system for one in times))

    def pause(self) -> None:
        """Have it do nothing, whatever it does when idle."""
        for process in self._tree():
            process.suspend()
            _schedule(process, os.SCHED_OTHER)

    def resume(self, first: bool = False) -> None:
        """Let it go on; `first`: before all else that the machine has to do, until it is stopped again."""
        for process in self._tree():
            process.resume()
            if first:
                _schedule(process, os.SCHED_RR)

    @property
    def pid(self) -> int:
        """The first process's."""
        return self._process.pid

    def _tree(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return
