"""Real concurrent load over HTTP, honestly counted. Used by the stress test, and by benchmarks and chaos tests.

Closed loop: `concurrency` clients, each on a connection of its own that is kept alive, send the next request as soon
as the last is answered. Every request counts, the first ones too. A success is a 2xx whose whole body is JSON; all
else is a failure of a kind:

    status 503    any other status, redirects included (they are not followed)
    unparsable    a 2xx whose body is not JSON
    connection    refused, reset, or closed before the whole answer was there
    timeout       no whole answer within `timeout` seconds
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loopwright.evaluation.answers import UnparsableError, excerpt, parse

if TYPE_CHECKING:
    import aiohttp

PERCENTILES = {"p50": 50, "p90": 90, "p99": 99}


@dataclass(frozen=True)
class Load:
    """What to send and how much: ends after `requests`, or after `duration` seconds, whichever comes first."""

    url: str
    bodies: Sequence[bytes]  # JSON; sent in turn
    concurrency: int
    requests: int | None = None
    duration: float | None = None  # seconds, after which no request is begun
    timeout: float = 30.0  # seconds for one request, from before it is sent until its body is read
    headers: Mapping[str, str] = field(default_factory=dict)
    socket: str | None = None  # a Unix socket to connect to, whatever the URL's host

    def __post_init__(self) -> None:
        if not self.bodies or self.concurrency < 1:
            raise ValueError("a load needs at least one body and one client")
        if self.requests is None and self.duration is None:
            raise ValueError("a load needs an end: requests, duration or both")


@dataclass(frozen=True)
class LoadResult:
    """What came of a load; times in seconds. `examples`: for each kind of failure, what the first one was."""

    requests: int
    failures_by_kind: Mapping[str, int]
    examples: Mapping[str, str]
    latencies: Sequence[float]  # of every request, failures included
    duration: float

    @property
    def failures(self) -> int:
        return sum(self.failures_by_kind.values())

    @property
    def error_rate(self) -> float:
        """Share of the requests that failed; 1 where none was sent, since nothing was shown."""
        return self.failures / self.requests if self.requests else 1.0

    @property
    def throughput(self) -> float:
        """Successes a second: a fast 503 is no throughput."""
        return (self.requests - self.failures) / self.duration if self.duration > 0 else 0.0

    def latency(self) -> dict[str, float]:
        """p50, p90, p99 and max over all requests; zeros where none was sent."""
        import numpy as np

        times = np.asarray(self.latencies or [0.0])
        found = {name: float(np.percentile(times, percent)) for name, percent in PERCENTILES.items()}
        return found | {"max": float(times.max())}

    def as_json(self) -> dict[str, Any]:
        """The reported form."""
        return {
            "requests": self.requests,
            "failures": self.failures,
            "failures_by_kind": dict(self.failures_by_kind),
            "examples": dict(self.examples),
            "error_rate": self.error_rate,
            "throughput": self.throughput,
            "latency": self.latency(),
            "duration": self.duration,
        }


class _Tally:
    """Counts while the load runs; one event loop, so no lock."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.started = time.perf_counter()
        self.begun = 0
        self.latencies: list[float] = []
        self.kinds: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def next_body(self) -> bytes | None:
        """The body of one more request, None where there is to be none."""
        load, bodies = self._load, self._load.bodies
        if load.requests is not None and self.begun >= load.requests:
            return None
        if load.duration is not None and time.perf_counter() - self.started >= load.duration:
            return None
        self.begun += 1
        return bodies[(self.begun - 1) % len(bodies)]

    def count(self, seconds: float, failure: tuple[str, str] | None) -> None:
        """One ended request; a failure is its kind and an example."""
        self.latencies.append(seconds)
        if failure is not None:
            self.kinds[failure[0]] += 1
            self.examples.setdefault(*failure)


def run(load: Load) -> LoadResult:
    """Send the load and wait for every answer."""
    return asyncio.run(send(load))


async def send(load: Load) -> LoadResult:
    """`run` for those who have an event loop of their own."""
    import aiohttp

    connector = (
        aiohttp.UnixConnector(path=load.socket, limit=load.concurrency)
        if load.socket
        else aiohttp.TCPConnector(limit=load.concurrency)
    )
    timeout = aiohttp.ClientTimeout(total=load.timeout)
    headers = {"content-type": "application/json", **load.headers}
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session:
        tally = _Tally(load)
        await asyncio.gather(*(_client(session, load.url, tally) for _ in range(load.concurrency)))
        ended = time.perf_counter()
    return LoadResult(
        len(tally.latencies), dict(tally.kinds), tally.examples, tally.latencies, ended - tally.started
    )


async def _client(session: aiohttp.ClientSession, url: str, tally: _Tally) -> None:
    while (body := tally.next_body()) is not None:
        began = time.perf_counter()
        failure = await _failure(session, url, body)
        tally.count(time.perf_counter() - began, failure)


async def _failure(session: aiohttp.ClientSession, url: str, body: bytes) -> tuple[str, str] | None:
    """Send one request; what kind of failure came of it and an example, or None for a success."""
    import aiohttp

    try:
        async with session.post(url, data=body, allow_redirects=False) as response:
            status, answer = response.status, await response.read()
    except TimeoutError:
        return "timeout", "no whole answer in time"
    except (aiohttp.ClientError, OSError) as error:
        return "connection", f"{type(error).__name__}: {error}"
    if not 200 <= status < 300:
        return f"status {status}", excerpt(answer)
    try:
        parse(answer)
    except UnparsableError:
        return "unparsable", excerpt(answer)
    return None
