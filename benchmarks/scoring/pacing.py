"""A client that asks at a constant rate over kept connections, and the latency that it sees: `python pacing.py PORT PATH RATE SECONDS BODIES`.

Open loop, as wrk2 does it: requests are due at fixed times, whatever the answers, and latency counts from the time when a
request was due; so a server that stalls is charged for all who would have waited. A request that finds no idle connection
waits for one, and that time counts too. Kept apart from wrk, which waits for each answer before it asks again, and from
tests/support/open_loop.py, which opens a connection for each request and so reaches no more than some 1,000 a second.

Prints one line of JSON: the rate that was reached, p50, p99 and the longest, in seconds, and how many were not a 200.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import cast

import uvloop

CONNECTIONS = 64
_PATIENCE = 10.0  # seconds for the last answers
_TICK = 0.0005  # seconds between two looks at what is due


@dataclass(frozen=True)
class Paced:
    """What an open-loop client saw; times in seconds."""

    rate: float
    p50: float
    p99: float
    longest: float
    failed: int


def paced(port: int, path: str, rate: float, seconds: float, bodies: Path) -> Paced:
    """Run the client as a process of its own."""
    words = [sys.executable, __file__, str(port), path, str(rate), str(seconds), str(bodies)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return Paced(**json.loads(done.stdout))


class _Connection(asyncio.Protocol):
    """One kept connection: one request at a time, its answer told by Content-Length."""

    def __init__(self, client: _Client) -> None:
        self._client = client
        self._due = 0.0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = cast("asyncio.WriteTransport", transport).write
        self._client.idle.append(self)

    def ask(self, due: float, request: bytes) -> None:
        self._due = due
        self._write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        head = received.find(b"\r\n\r\n")
        if head < 0 or len(received) < head + 4 + self._length(received[:head]):
            self._received = received
            return
        self._received = b""
        self._client.answered(self, self._due, received.startswith(b"HTTP/1.1 200"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.lost(self)

    @staticmethod
    def _length(head: bytes) -> int:
        at = head.lower().index(b"content-length:") + 15
        end = head.find(b"\r\n", at)
        return int(head[at : end if end >= 0 else len(head)])


class _Client:
    """Sends what is due over whatever connection is idle."""

    def __init__(self, rate: float, seconds: float, requests: list[bytes]) -> None:
        self.idle: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()  # when each was due
        self._step, self._count = 1 / rate, int(rate * seconds)
        self._requests = cycle(requests)
        self._latencies: list[float] = []
        self._failed = 0
        self._over = asyncio.Event()

    def answered(self, connection: _Connection, due: float, good: bool) -> None:
        now = time.perf_counter()
        self._latencies.append(now - due)
        self._failed += not good
        if len(self._latencies) == self._count:
            self._over.set()
        if self._waiting:
            connection.ask(self._waiting.popleft(), next(self._requests))
        else:
            self.idle.append(connection)

    def lost(self, connection: _Connection) -> None:
        if connection in self.idle:
            self.idle.remove(connection)
        elif len(self._latencies) + self._failed < self._count:
            self._failed += 1

    async def run(self) -> Paced:
        began = time.perf_counter()
        sent = 0
        while sent < self._count:
            until = min(self._count, int((time.perf_counter() - began) / self._step) + 1)
            for number in range(sent, until):
                due = began + number * self._step
                if self.idle:
                    self.idle.popleft().ask(due, next(self._requests))
                else:
                    self._waiting.append(due)
            sent = until
            await asyncio.sleep(_TICK)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), _PATIENCE)
        took = time.perf_counter() - began
        unanswered = self._count - len(self._latencies)
        found = sorted(self._latencies)
        return Paced(
            len(found) / took,
            found[len(found) // 2],
            found[int(len(found) * 0.99)],
            found[-1],
            self._failed + unanswered,
        )


async def _main(port: int, path: str, rate: float, seconds: float, bodies: list[bytes]) -> Paced:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: "
    client = _Client(rate, seconds, [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies])
    loop = asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: _Connection(client), "127.0.0.1", port)
    gc.disable()  # a pause of ours would be charged to the server
    return await client.run()


if __name__ == "__main__":
    port_, path_, rate_, seconds_, file = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        lines = Path(file).read_bytes().splitlines()
        result = runner.run(_main(int(port_), path_, float(rate_), float(seconds_), lines))
    print(json.dumps(result.__dict__))
