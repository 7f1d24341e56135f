"""Two million requests to one replica, good and bad ones, and its memory after each portion: the line must be flat.

The bodies change from portion to portion, with texts never seen before in them: what a replica keeps of requests must
not grow with their number nor with their variety.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments import KEPT
from load import Wrk
from models import Model
from running import Server, free_port
from sides import Side

REQUESTS = 2_000_000
PORTION = 5  # seconds
_BODIES = 2000  # different ones in a portion
_CONNECTIONS = 32
_SETTLED = 0.25  # of the requests, until everything that is kept has been filled once


@dataclass(frozen=True)
class Soaked:
    """Bytes of resident memory by requests answered so far, and how many answers were errors of the replica's own."""

    line: list[tuple[int, float]]
    answered: int
    failed: int

    @property
    def growth(self) -> float:
        """Megabytes between the first and the last third of what came after it had settled; medians, for single peaks pass."""
        settled = [memory for requests, memory in self.line if requests >= self.answered * _SETTLED]
        third = max(1, len(settled) // 3)
        return (statistics.median(settled[-third:]) - statistics.median(settled[:third])) / 1e6


def soak(side: Side, requests: int = REQUESTS) -> Soaked:
    """Send `requests` requests and a few more."""
    port, answered, line = free_port(), 0, []
    url = f"http://127.0.0.1:{port}{side.path}"
    with side.server(port) as server:
        server.await_answer(side.path, side.bodies[0])
        before = _failed(port)  # it was asked before it was ready
        for portion in _portions(side.model):
            burst = Wrk(portion, KEPT / "load" / "soak").run(url, _CONNECTIONS, PORTION)
            assert not burst.broken, f"{burst.broken} connections were broken"
            answered += burst.requests
            line.append((answered, server.resident()))
            _say(answered, requests, server)
            if answered >= requests:
                return Soaked(line, answered, _failed(port) - before)
    raise AssertionError("the portions never end")


def _portions(model: Model) -> Iterator[list[bytes]]:
    chance = random.Random(1912)
    while True:
        yield [_body(model, chance) for _ in range(_BODIES)]


def _body(model: Model, chance: random.Random) -> bytes:
    """Mostly a passenger; now and then several, one with a new text in it, or what must be refused."""
    kind = chance.random()
    row: dict[str, Any] = dict(chance.choice(model.rows))
    row["age"] = chance.uniform(0, 90)
    if kind < 0.05:
        return json.dumps([row] * chance.randint(2, 32)).encode()
    if kind < 0.15:
        row["embarked"] = f"harbour {chance.getrandbits(64):x}"
    elif kind < 0.20:
        row["age"] = None
    elif kind < 0.22:
        row["age"] = f"many {chance.getrandbits(64):x}"
    elif kind < 0.23:
        return b'{"gender": "male", "' + f"{chance.getrandbits(64):x}".encode()
    return json.dumps(row).encode()


def _failed(port: int) -> int:
    """How many answers were 500 or above, by the replica's own count."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    return sum(
        int(line.split()[-1])
        for line in lines
        if line.startswith("loopwright_requests_total") and 'code="5' in line
    )


def _say(answered: int, requests: int, server: Server) -> None:
    print(f"  {answered:,} of {requests:,} requests: {server.resident() / 1e6:.1f} MB", flush=True)


def write_line(soaked: Soaked, path: Path) -> None:
    """The memory line as JSON, for whoever wants to see it drawn."""
    path.write_text(json.dumps({"answered": soaked.answered, "failed": soaked.failed, "line": soaked.line}))
