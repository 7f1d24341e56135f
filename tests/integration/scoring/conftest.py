"""Real replicas with real scripts; those that tests only read from are shared by a whole run."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

_PATIENCE = 60.0  # seconds for anything that must come


@dataclass(frozen=True)
class Answer:
    """A response, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_constant=pytest.fail)

    @property
    def error(self) -> Any:
        return self.json["error"]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_PATIENCE)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.close()
            raise


class Replica:
    """One `python -m loopwright.scoring`, in a folder of its own."""

    def __init__(
        self, folder: Path, script: str, prepare: Callable[[Path], Any] | None = None, **settings: Any
    ) -> None:
        self.folder = folder
        self.socket = folder / "r.sock"
        self.code = folder / "package" / "code"
        self.code.mkdir(parents=True)
        (folder / "package" / "model").mkdir()
        (self.code / "score.py").write_text(textwrap.dedent(script))
        if prepare:
            prepare(folder / "package")
        common = {
            "workload": "w", "environment": "test", "revision": "r1", "package": str(folder / "package"),
            "entry": "score.py", "python": sys.executable,
        }  # fmt: skip
        (folder / "serving.json").write_text(json.dumps(common | settings))
        self._log = (folder / "log.txt").open("wb")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "loopwright.scoring",
                "--settings",
                str(folder / "serving.json"),
                "--socket",
                str(self.socket),
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def connect(self) -> _Connection:
        return _Connection(self.socket)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """One request on a connection of its own; anything but bytes is sent as JSON."""
        connection = self.connect()
        try:
            return exchange(connection, method, path, body, headers)
        finally:
            connection.close()

    def score(self, body: Any) -> Answer:
        return self.ask("POST", "/score", body)

    def wait_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.log()
            with contextlib.suppress(OSError):
                return self.ask("GET", "/readyz").status == 200
            return False

        eventually(ready)

    def workers(self) -> list[psutil.Process]:
        """The worker processes that are alive."""
        try:
            return psutil.Process(self.process.pid).children()
        except psutil.NoSuchProcess:
            return []

    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    def events(self, action: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("action") == action]

    def metric(self, series: str) -> float:
        text = self.ask("GET", "/metrics").body.decode()
        values = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(series)]
        return sum(map(float, values))

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_PATIENCE)
        finally:
            self._log.close()


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    began = time.monotonic()
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, content, headers or {})
    response = connection.getresponse()
    received = response.read()
    return Answer(
        response.status,
        {name.lower(): value for name, value in response.getheaders()},
        received,
        time.monotonic() - began,
    )


def eventually(holds: Callable[[], bool]) -> None:
    """Return once it holds; fail if it does not in good time."""
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[..., Replica]]:
    """Starts a replica with a script and settings; all are stopped, and seen to leave nothing, at the end."""
    root = Path(tempfile.mkdtemp(prefix="lw-"))  # short: a socket's path is
    replicas: list[Replica] = []

    def run(script: str, ready: bool = True, **settings: Any) -> Replica:
        replica = Replica(root / str(len(replicas)), script, **settings)
        replicas.append(replica)
        if ready:
            replica.wait_ready()
        return replica

    yield run
    for replica in replicas:
        replica.process.terminate()
    for replica in replicas:
        replica.stop()
    shutil.rmtree(root)


_SCRIPT = """
    import asyncio, json, os, signal, subprocess, sys, time

    class Array:
        def __init__(self, values): self.values = values
        def tolist(self): return self.values

    def init():
        print("init of user code")

    def run(data):
        what = json.loads(data)
        do = what.get("do")
        if do == "sleep": time.sleep(what["seconds"])
        if do == "raise": raise ValueError("no such passenger" + what.get("more", ""))
        if do == "exit": sys.exit(7)
        if do == "kill": os.kill(os.getpid(), signal.SIGKILL)
        if do == "spawn":
            print("spawned", subprocess.Popen(["sleep", "600"]).pid)
            time.sleep(600)
        if do == "nan": return {"score": float("nan"), "rest": [1.5, float("-inf")]}
        if do == "array": return {"predictions": Array([1, Array([2.5, float("nan")])])}
        if do == "object": return object()
        if do == "text": return "text"
        if do == "where": return [os.getcwd(), sys.path[0], os.environ["MODEL_DIR"], os.environ["AZUREML_MODEL_DIR"],
                                  os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"], sys.flags.isolated]
        return {"pid": os.getpid(), "got": data}
"""


@pytest.fixture(scope="session")
def plain(start: Callable[..., Replica]) -> Replica:
    """A script that does what the body says, its inputs not validated; a worker may be lost, and comes again."""
    return start(
        _SCRIPT,
        threads=3,
        idempotent=False,
        limits={"timeout": 1.0, "queue": 8, "max_body": 100_000},
    )


@pytest.fixture(scope="session")
def patient(start: Callable[..., Replica]) -> Replica:
    """The same with time for a new worker to come, also where the machine is busy."""
    limits = {"timeout": 30.0, "queue_wait": 30.0}
    return start(_SCRIPT, threads=3, idempotent=False, limits=limits)


@pytest.fixture(scope="session")
def validating(start: Callable[..., Replica]) -> Replica:
    """A script that takes any row, behind a signature."""
    inputs = [
        {"name": "age", "type": "integer", "nullable": False, "categories": None},
        {"name": "port", "type": "string", "nullable": True, "categories": ["S"]},
    ]
    return start("import json\ndef run(data):\n    return json.loads(data)\n", inputs=inputs)
