"""A gateway with real Envoys over tiny real replicas, and a load that counts every failure."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from loopwright import routing
from loopwright.engines.base import Backend, Route
from loopwright.engines.local import gateway_admin
from loopwright.engines.local.desired import GatewaySettings, routes_digest
from loopwright.engines.local.gateway import Gateway

_UPSTREAM = Path(__file__).with_name("tiny_replica.py")


class Upstream:
    """A process that stands for a replica."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder, self._starts = folder, 0
        self.start()

    def start(self) -> None:
        self._starts += 1
        self.socket = str(self._folder / f"{self.name}-{self._starts}.sock")
        command = [sys.executable, str(_UPSTREAM), self.socket, self.name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        with self.process.stdout as said:
            assert said.readline() == b"ready\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(5)

    def revive(self) -> None:
        """Start another in its place, as the agent would: with a socket of its own."""
        if self.process.poll() is not None:
            self.start()


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Rig:
    """One gateway, its replicas, and the loop that an agent would be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.ahead = 0.0  # seconds by which the gateway's clock is put forward
        self.settings = GatewaySettings(port=self.port)
        self.upstreams = {name: Upstream(folder, name) for name in ("a1", "a2", "b1", "b2")}
        self._former: list[Gateway] = []
        self.gateway = self.new_gateway()
        self.gateway.start(self.now)

    @property
    def now(self) -> float:
        return time.monotonic() + self.ahead

    @property
    def endpoints(self) -> dict[str, list[str]]:
        return {"dev--w--a": self.sockets("a1", "a2"), "dev--w--b": self.sockets("b1", "b2")}

    def new_gateway(self, processes: int = 2) -> Gateway:
        settings = GatewaySettings(port=self.port, processes=processes)
        return Gateway(settings, self.folder / "gateway", self.folder)

    def next_agent(self, processes: int = 2) -> None:
        """Forget the gateway object, as when the agent is killed, and let a new one find what runs."""
        self._former.append(self.gateway)
        self.gateway = self.new_gateway(processes)
        self.gateway.start(self.now)

    def sockets(self, *names: str) -> list[str]:
        return [self.upstreams[name].socket for name in names]

    def pids(self) -> dict[str, int | None]:
        return {name: one.pid for name, one in self.gateway.services(self.now).items()}

    def tick(self) -> None:
        self.gateway.tick(self.now)
        time.sleep(0.02)

    def until(self, condition: Callable[[], bool], within: float = 10.0) -> float:
        """Tick until it holds; how long that took."""
        began = time.monotonic()
        self.tick()
        while not condition():
            late = time.monotonic() - began > within
            assert not late, (self.gateway.rejected, self.gateway.services(self.now))
            self.tick()
        return time.monotonic() - began

    def want(self, *routes: Route, endpoints: Mapping[str, list[str]] | None = None) -> float:
        """Have these routes served; how long that took."""
        self.gateway.want(routes, self.endpoints if endpoints is None else endpoints)
        return self.until(lambda: self.gateway.accepted == routes_digest(routes))

    def reset(self) -> None:
        """Bring back what a test has killed, and the plain route."""
        for upstream in self.upstreams.values():
            upstream.revive()
        self.want(route())
        self.until(lambda: all(one.state == "ready" for one in self.gateway.services(self.now).values()))

    def post(
        self, path: str = "/dev/w/score", body: bytes = b"{}", method: str = "POST", **headers: str
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            got = connection.getresponse()
            return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        finally:
            connection.close()

    @contextmanager
    def held(self, count: int) -> Iterator[list[Future[Answer]]]:
        """So many requests that are at replicas within the block, and answered at its end."""
        file = self.folder / f"hold-{time.monotonic_ns()}"
        file.touch()
        with ThreadPoolExecutor(count) as pool:
            asked = [pool.submit(self.post, f"/dev/w/score?held={file}") for _ in range(count)]
            try:
                self.until(lambda: sum(load.active for load in self.loads()) == count)
                yield asked
            finally:
                file.unlink()

    def loads(self) -> list[routing.Load]:
        """What each Envoy says of each replica."""
        answers = [gateway_admin.loads(str(self.folder / f"{name}.sock")) for name in self.pids()]
        return [load for answer in answers for load in (answer or {}).values()]

    def load(self, **options: Any) -> Load:
        return Load(self.port, **options)

    def close(self) -> None:
        self.gateway.stop(graceful=False)
        for gateway in self._former:  # they are the parents of what they started
            gateway.services(time.monotonic())
        for upstream in self.upstreams.values():
            upstream.kill()


class Load:
    """Requests on several connections, without a pause, for as long as the block runs."""

    def __init__(self, port: int, connections: int = 8, path: str = "/dev/w/score") -> None:
        self.failures: list[str] = []
        self.answers: Counter[str] = Counter()
        self._port, self._connections = port, connections
        self._request = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}".encode()
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))

    def __enter__(self) -> Load:
        self._thread.start()
        deadline = time.monotonic() + 5
        while not self.answers and not self.failures:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(20)

    async def _all(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self._connections)))

    async def _client(self) -> None:
        while not self._over.is_set():
            try:
                await asyncio.wait_for(self._connection(), 120)
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.failures.append(repr(error))

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while not self._over.is_set():
                writer.write(self._request)
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.split("content-length: ")[1].split("\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                if head.split(" ")[1] == "200":
                    self.answers[body["name"]] += 1
                else:
                    self.failures.append(json.dumps(body))
                if "connection: close" in head:
                    return
                await asyncio.sleep(0.002)
        finally:
            writer.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def route(*shares: str, workload: str = "w", timeout: float = 5.0, **more: Any) -> Route:
    """The route of the tests: to `dev--w--a`, unless other sets are named."""
    backends = tuple(Backend(replica_set=share) for share in shares or ("dev--w--a",))
    return Route(environment="dev", workload=workload, backends=backends, timeout=timeout, **more)


def running(pid: int | None) -> bool:
    return pid is not None and psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
