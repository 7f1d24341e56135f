"""A client that asks at a constant rate, whatever the answers: `python open_loop.py URL RATE FILE`, a body and headers on stdin.

Open loop: a slow or failing server is asked no less often, so nothing hides in a client that waits. Each request has a
connection of its own and is never tried again. Each is written as a JSON line when it has ended: when it was begun and
ended (seconds since the epoch), the status, and the error or the answer. Ends once stdin does, after the last answer.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO
from urllib.parse import urlsplit

TIMEOUT = 30.0  # seconds for one request


@dataclass(frozen=True)
class Asked:
    """One request and what came of it: `status` 0 where no whole answer came, and `said` says why."""

    begun: float
    ended: float
    status: int
    said: str


class OpenLoop:
    """Runs the client as a process of its own for as long as the block lasts; `asked` holds all requests afterwards."""

    def __init__(self, url: str, key: str, body: Any, rate: float, file: Path) -> None:
        self._command = [sys.executable, __file__, url, str(rate), str(file)]
        self._given = json.dumps({"key": key, "body": body})
        self._file = file
        self.asked: list[Asked] = []

    def __enter__(self) -> OpenLoop:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        self._process.stdin.write(self._given + "\n")
        self._process.stdin.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(timeout=2 * TIMEOUT) == 0
        self.asked = [Asked(**json.loads(line)) for line in self._file.read_text().splitlines()]


async def ask(url: str, key: str, body: bytes, write: TextIO) -> None:
    """One request."""
    begun = time.time()
    try:
        status, said = await asyncio.wait_for(_exchange(url, key, body), TIMEOUT)
    except (OSError, EOFError, TimeoutError, ValueError) as error:
        status, said = 0, repr(error)
    write.write(json.dumps({"begun": begun, "ended": time.time(), "status": status, "said": said}) + "\n")


async def _exchange(url: str, key: str, body: bytes) -> tuple[int, str]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        first = (await reader.readuntil(b"\r\n")).split()
        headers = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in headers.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        return int(first[1]), (await reader.readexactly(length)).decode()
    finally:
        writer.close()


async def main(url: str, rate: float, write: TextIO) -> None:
    """Ask until stdin ends."""
    given = json.loads(sys.stdin.readline())
    body = json.dumps(given["body"]).encode()
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    under_way: set[asyncio.Task[None]] = set()
    due = time.monotonic()
    while not over.done():
        task = asyncio.create_task(ask(url, given["key"], body, write))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    await asyncio.gather(*under_way)


if __name__ == "__main__":
    with Path(sys.argv[3]).open("w") as file:
        asyncio.run(main(sys.argv[1], float(sys.argv[2]), file))
