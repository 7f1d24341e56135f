"""A package's own replica as a child of a job of ours: started, awaited, asked, and always stopped.

Packaging asks it for the example, evaluation for the held-out rows: what is found out is what a client would get, scoring
script and all. The replica itself never imports this.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import msgspec

from loopwright.errors import StepFailed
from loopwright.scoring.settings import Settings

if TYPE_CHECKING:
    import aiohttp

_LOOK = 0.02  # seconds between two looks at /readyz
_FORWARD = 0.2  # seconds between two looks for new output
_LAST_LINES = 15
_TAIL = 16_384  # bytes of its output that are kept for a message
_WARM_UP_FAILED = "warm-up failed"  # how a replica begins to say that it cannot answer its package's example
_MOST_SAID = 300  # characters of an answer that a message quotes
_SPARE = 2.0  # seconds beyond the replica's own grace period before it is killed


class _Output:
    """What a replica writes, passed on to this job's log as it comes.

    Through a file: a pipe stays open as long as anything that user code has started holds it, and would be waited for.
    """

    def __init__(self, path: Path, log: TextIO) -> None:
        self._file = path.open("rb")
        self._log = log
        self._tail = b""

    def lines(self) -> list[str]:
        """The last lines."""
        self.forward()
        return self._tail.decode(errors="replace").splitlines()[-_LAST_LINES:]

    def forward(self) -> None:
        """Pass on what is new."""
        while chunk := self._file.read(_TAIL):
            self._tail = (self._tail + chunk)[-_TAIL:]
            self._log.write(chunk.decode(errors="replace"))
        self._log.flush()

    async def keep_forwarding(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self.forward()
                await asyncio.sleep(_FORWARD)
        finally:
            self.forward()
            self._file.close()


class Replica:
    """A running replica: a session that speaks to its socket, as in `session.get("http://replica/readyz")`."""

    def __init__(self, process: Process, session: aiohttp.ClientSession, output: _Output, name: str) -> None:
        self.session = session
        self._process = process
        self._output = output
        self._name = name

    def lines(self) -> list[str]:
        """The last lines that it wrote."""
        return self._output.lines()

    async def ready(self, within: float) -> None:
        """Return once it can score; raises StepFailed where it ends or does not come up in time."""
        ended = asyncio.create_task(self._process.wait())
        message = "nothing listens"
        try:
            async with asyncio.timeout(within):
                while not ended.done():
                    ready, message = await self._look(message)
                    if ready:
                        return
                    if message.startswith(_WARM_UP_FAILED):  # it tries again; here nothing comes up later
                        raise StepFailed(f"{self._name} cannot answer its own example: {message}")
                    await asyncio.wait({ended}, timeout=_LOOK)
        except TimeoutError:
            tail = "".join(f"\n    {line}" for line in self.lines())
            raise StepFailed(
                f"{self._name} was not ready to score within {within:g} s ({message}).{tail}"
            ) from None
        finally:
            ended.cancel()
        raise StepFailed(self._why_it_ended())

    async def _look(self, message: str) -> tuple[bool, str]:
        """Ask /readyz; the last message stands while nobody answers."""
        import aiohttp

        try:
            async with self.session.get("http://replica/readyz") as response:
                body = await response.read()
                return response.status == 200, _said(body)
        except (aiohttp.ClientError, OSError):
            return False, message

    def _why_it_ended(self) -> str:
        status, lines = self._process.returncode, self.lines()
        said = next((line for line in reversed(lines) if line.startswith("init failed")), "")
        if said:
            return f"{self._name} cannot start to score: {said.rstrip('.')}. Correct it, or what training writes."
        tail = "\n    ".join(["its last lines:", *lines])
        return f"{self._name} cannot start to score (exit status {status}): {tail}"

    async def stop(self, grace_period: float) -> None:
        """End the process: asked first, killed where it does not listen."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), grace_period + _SPARE)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()  # its workers end with it
                await self._process.wait()


def _said(body: bytes) -> str:
    """The message of a /readyz that says no."""
    try:
        return str(msgspec.json.decode(body)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return body.decode(errors="replace")[:_MOST_SAID]


@contextlib.asynccontextmanager
async def running(settings: Settings, name: str, log: TextIO) -> AsyncIterator[Replica]:
    """A replica that is starting; `ready()` waits for it, and leaving the block stops it whatever happened.

    `name` is what messages call it, `log` gets what it writes.
    """
    with tempfile.TemporaryDirectory(
        prefix="loopwright-"
    ) as place:  # a job's own path may be too long for a socket
        folder = Path(place)
        socket = folder / "r.sock"
        process = await _start(settings, folder, socket)
        import aiohttp  # takes a while, in which the replica starts

        output = _Output(folder / "output", log)
        forwarding = asyncio.create_task(output.keep_forwarding())
        connector = aiohttp.UnixConnector(path=str(socket), limit=settings.limits.concurrency)
        async with aiohttp.ClientSession(connector=connector) as session:
            replica = Replica(process, session, output, name)
            try:
                yield replica
            finally:
                await asyncio.shield(replica.stop(settings.grace_period))
                forwarding.cancel()
                await asyncio.wait({forwarding})


async def _start(settings: Settings, folder: Path, socket: Path) -> Process:
    file = folder / "serving.json"
    file.write_bytes(msgspec.json.encode(settings))
    arguments = ("--settings", str(file), "--socket", str(socket))
    with (folder / "output").open("wb") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "loopwright.scoring",
            *arguments,
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
        )
