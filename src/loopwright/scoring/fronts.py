"""Several fronts of one replica: processes that take requests from the same socket, where one core is not enough.

The first front is the replica's own process. It starts the others, keeps them alive and ends with them; they die with it.
Each has a socket of its own besides, in a folder that only their owner may enter, by which whichever is asked for the
replica's numbers asks the others for theirs. A front listens on the common socket once it can score.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from loopwright.scoring.logs import Log
from loopwright.scoring.settings import Limits, Settings

OWN = "/own"  # before /stats, /metrics and /readyz: of the front that is asked alone
_PATIENCE = 2.0  # seconds for a sibling's answer; one that is just being replaced has none
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 10.0  # seconds between starts of one that keeps dying
_LOOK = 0.05  # seconds between two looks whether it has come up
_FAMILY = re.compile(r"^# HELP (\S+) ", re.MULTILINE)


@dataclass(frozen=True)
class Front:
    """Which one a process is; `listener` is the descriptor of the common Unix socket, where there is one."""

    number: int
    folder: Path
    listener: int | None = None

    @property
    def socket(self) -> Path:
        """Its own."""
        return socket_of(self.folder, self.number)


def socket_of(folder: Path, number: int) -> Path:
    """The socket of one front alone."""
    return folder / f"{number}.sock"


def share(limits: Limits, fronts: int) -> Limits:
    """What each of so many fronts takes on, so that together they take on what the replica does."""
    return msgspec.structs.replace(
        limits,
        concurrency=-(-limits.concurrency // fronts),
        queue=-(-limits.queue // fronts),
        bodies=-(-limits.bodies // fronts),
    )


class Siblings:
    """The other fronts, as the first sees them: starts them, and starts again what dies."""

    def __init__(self, arguments: Sequence[str], settings: Settings, me: Front, log: Log) -> None:
        self._arguments = arguments
        self._others = range(1, settings.fronts)
        self._me = me
        self._log = log
        self._up: set[int] = set()
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._stopping = False

    @property
    def ready(self) -> bool:
        """Whether each has come up."""
        return len(self._up) == len(self._others)

    async def run(self) -> None:
        """Keep them alive until `stop`."""
        await asyncio.gather(*map(self._keep, self._others))

    def stop(self) -> None:
        """Have them drain and end."""
        self._stopping = True
        for process in self._processes.values():
            if process.returncode is None:
                process.terminate()

    async def _keep(self, number: int) -> None:
        delay = 0.0
        while not self._stopping:
            up = await self._live(number)
            delay = _FIRST_DELAY if up else min(_LONGEST_DELAY, max(_FIRST_DELAY, delay * 2))
            if not self._stopping:
                await asyncio.sleep(delay)

    async def _live(self, number: int) -> bool:
        """The whole life of one; returns whether it came up."""
        fd = self._me.listener
        own = ["--front", str(number), "--folder", str(self._me.folder)]
        own += ["--listener", str(fd)] if fd is not None else []
        command = [sys.executable, "-m", "loopwright.scoring", *self._arguments, *own]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, pass_fds=() if fd is None else (fd,)
        )
        self._processes[number] = process
        coming = asyncio.create_task(self._come_up(number))
        status = await process.wait()
        coming.cancel()
        log = self._log.info if self._stopping else self._log.warning
        log("front-exited", front=number, pid=process.pid, status=status)
        return number in self._up

    async def _come_up(self, number: int) -> None:
        socket = socket_of(self._me.folder, number)
        while True:
            status, _ = await _ask(socket, f"{OWN}/readyz")
            if status == 200:
                self._up.add(number)
                return
            await asyncio.sleep(_LOOK)


class Peers:
    """The other fronts, as any of them sees them: to be asked for their numbers."""

    def __init__(self, front: Front, fronts: int) -> None:
        self._sockets = [
            socket_of(front.folder, number) for number in range(fronts) if number != front.number
        ]

    async def ask(self, path: str) -> list[bytes]:
        """What each that can be reached answers to GET `/own` + path."""
        answers = await asyncio.gather(*[_ask(socket, OWN + path) for socket in self._sockets])
        return [body for status, body in answers if status == 200]


def merged(texts: Sequence[bytes]) -> bytes:
    """One text of metrics from several, the samples of a family together as the format wants them."""
    families: dict[str, list[str]] = {}
    for text in texts:
        parts = _FAMILY.split(text.decode())
        for name, body in zip(parts[1::2], parts[2::2], strict=True):
            lines = body.splitlines()
            families.setdefault(name, [f"# HELP {name} {lines[0]}", lines[1]]).extend(lines[2:])
    return "".join(f"{line}\n" for lines in families.values() for line in lines).encode()


async def _ask(socket: Path, path: str) -> tuple[int, bytes]:
    """Status and body; 0 where nobody answers."""
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nhost: front\r\nconnection: close\r\n\r\n".encode())
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
            return int(head.split(b" ", 2)[1]), body
    except (OSError, TimeoutError, IndexError, ValueError):
        return 0, b""
