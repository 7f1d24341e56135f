"""A package's own replica as a child of this job: started, asked, and always stopped.

The held-out rows go through the very process that would serve them in production, so what is judged is what a client
would get, scoring script and all.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from loopwright.errors import IntegrityError, StepFailed
from loopwright.evaluation.answers import excerpt
from loopwright.scoring import Settings

if TYPE_CHECKING:
    import aiohttp

_LOOK = 0.02  # seconds between two looks at /readyz
_FORWARD = 0.2  # seconds between two looks for new output
_LAST_LINES = 15
_TAIL = 16_384  # bytes of its output that are kept for a message
_WARM_UP_FAILED = "warm-up failed"  # how a replica begins to say that it cannot answer its package's example
_SPARE = 2.0  # seconds beyond the replica's own grace period before it is killed


def settings_for(
    package: Path, python: str, name: str, serving: Mapping[str, Any], validate: bool
) -> Settings:
    """The serving.json of a package under evaluation: the workload's limits, this package's code, model and signature."""
    manifest, signature = (
        read_package_file(package, "package.json"),
        read_package_file(package, "signature.json"),
    )
    own = {
        "workload": manifest["workload"],
        "environment": "evaluation",
        "revision": name,
        "version": None,
        "fronts": 1,
        "grpc": False,  # the held-out rows come by HTTP
        "package": str(package),
        "entry": manifest["entry"],
        "model": manifest.get("model"),
        "outputs": manifest.get("outputs"),
        "compiled": manifest.get("compiled", False),
        "python": python,
        "inputs": _inputs(signature["inputs"], validate, bool(manifest.get("model"))),
    }
    return msgspec.convert({**serving, **own}, Settings)


def _inputs(signed: list[dict[str, Any]], validate: bool, model: bool) -> list[dict[str, Any]] | None:
    """What rows are checked against: nothing for a script that is to judge for itself, and for a model all but what is missing."""
    if validate:
        return signed
    return [{**one, "nullable": True} for one in signed] if model else None


def read_package_file(package: Path, name: str) -> dict[str, Any]:
    """A JSON file of the package; raises IntegrityError where it is not there or not JSON."""
    try:
        content: dict[str, Any] = msgspec.json.decode((package / name).read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise IntegrityError(
            f"The package {package} has no readable {name} ({error}); package it again."
        ) from error
    return content


class _Output:
    """What a replica writes, passed on to this job's log as it comes.

    Through a file: a pipe stays open as long as anything that user code has started holds it, and would be waited for.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._tail = b""

    def lines(self) -> list[str]:
        """The last lines."""
        self.forward()
        return self._tail.decode(errors="replace").splitlines()[-_LAST_LINES:]

    def forward(self) -> None:
        """Pass on what is new."""
        while chunk := self._file.read(_TAIL):
            self._tail = (self._tail + chunk)[-_TAIL:]
            sys.stderr.write(chunk.decode(errors="replace"))
        sys.stderr.flush()

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
    """A running replica: a session that speaks to its socket."""

    def __init__(self, process: Process, session: aiohttp.ClientSession, output: _Output, name: str) -> None:
        self.session = session
        self._process = process
        self._output = output
        self._name = name

    async def ready(self, within: float) -> None:
        """Return once it can score; raises StepFailed where it ends or does not come up in time."""
        ended = asyncio.create_task(self._process.wait())
        message = ""
        try:
            async with asyncio.timeout(within):
                while not ended.done():
                    ready, message = await self._look(message)
                    if ready:
                        return
                    if message.startswith(
                        _WARM_UP_FAILED
                    ):  # it tries again; but here nothing will come up later
                        raise StepFailed(f"{self._name} cannot answer its own example: {message}")
                    await asyncio.wait({ended}, timeout=_LOOK)
        except TimeoutError:
            raise StepFailed(
                f"{self._name} was not ready to score within {within:g} s. {message}".rstrip()
            ) from None
        finally:
            ended.cancel()
        raise StepFailed(self._why_it_ended(message))

    async def _look(self, message: str) -> tuple[bool, str]:
        """Ask /readyz; the last message stands while nobody answers."""
        import aiohttp

        try:
            async with self.session.get("http://replica/readyz") as response:
                body = await response.read()
                return response.status == 200, _message(body) if response.status != 200 else ""
        except (aiohttp.ClientError, OSError):
            return False, message

    def _why_it_ended(self, message: str) -> str:
        lines = self._output.lines()
        said = next((line for line in lines if line.startswith("init failed")), "")
        said = said or message or "\n    ".join(["its last lines:", *lines])
        return f"{self._name} could not start to score (exit status {self._process.returncode}): {said}"

    async def stop(self, grace_period: float) -> None:
        """End the process: asked first, killed where it does not listen."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), grace_period + _SPARE)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()


def _message(body: bytes) -> str:
    """What /readyz says."""
    try:
        return str(msgspec.json.decode(body)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return excerpt(body)


@contextlib.asynccontextmanager
async def running(settings: Settings, name: str) -> AsyncIterator[Replica]:
    """A replica that is starting; `ready()` waits for it, and leaving the block stops it whatever happened."""
    import aiohttp

    with tempfile.TemporaryDirectory(
        prefix="loopwright-"
    ) as name_of_folder:  # a job's own path may be too long for a socket
        folder = Path(name_of_folder)
        socket = folder / "r.sock"
        process = await _start(settings, folder, socket)
        output = _Output(folder / "output")
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
    settings_file = folder / "serving.json"
    settings_file.write_bytes(msgspec.json.encode(settings))
    arguments = ("--settings", str(settings_file), "--socket", str(socket))
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
