"""One worker process: starting it, speaking to it, and knowing how it ended. The pool decides what it does."""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from loopwright.scoring import example
from loopwright.scoring import worker_shim as shim
from loopwright.scoring.settings import Settings
from loopwright.scoring.worker_output import MaskedOutput, masked_output

_SHIM = Path(shim.__file__)
_LAST_READ = 0.2  # seconds to wait for what a dead worker had still sent
_NO_ROOM = -1_000_000
_LAST_WORDS = 3.0  # seconds that a worker may take to end once its socket is closed; the shim gives itself 2


class Explanation(msgspec.Struct, frozen=True):
    """An exception of user code, as the shim tells it."""

    type: str
    text: str
    where: str
    traceback: str

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        kind = f"{self.type}: " if self.type else ""
        return f"{kind}{self.text}{place}"


class Started(msgspec.Struct, frozen=True):
    """What a worker says of what it hosts once that has come up."""

    seconds: float  # that it took
    takes: str = "text"  # the body as text, rows, or a whole HTTP request
    schema: dict[str, Any] | None = None  # of its input and output, where the script declares them


@dataclass(eq=False)
class Call:
    """One body of a kind (see the shim) on its way through a worker; `answer` ends with its reply, or with a Refusal."""

    kind: int
    body: bytes
    answer: asyncio.Future[Reply]
    seconds: float  # that it may take
    timer: asyncio.TimerHandle | None = None
    begun_before: bool = False  # a worker died with it; it is not tried a third time
    worker: WorkerProcess | None = None  # who has it, and under which number
    number: int = 0

    def stop_timer(self) -> None:
        """It is in time, or its time does not count any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


@dataclass(eq=False)
class Reply:
    """What a worker said about a call."""

    call: Call
    kind: int
    payload: bytes
    replaced: int  # numbers that JSON cannot hold and that became null
    milliseconds: float  # that user code took


@dataclass(eq=False)
class WorkerProcess(asyncio.Protocol):
    """A running worker. `on_reply` hears of every answered call, `on_cold` of every warm-up that failed, and `wait` returns
    once the process is gone."""

    slot: int
    on_reply: Callable[[WorkerProcess, Reply], None]
    on_cold: Callable[[WorkerProcess, Explanation], None]
    process: asyncio.subprocess.Process
    marker: mmap.mmap
    capacity: int
    calls: dict[int, Call] = field(default_factory=dict)
    ready: bool = False
    answered: bool = False  # whether any call came back from it
    ended_by: str = ""  # why we ended it, where we did
    output: MaskedOutput | None = None  # what it writes, where that is to be masked

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._last_number = 0
        self._closed: asyncio.Future[None] = loop.create_future()
        self._transport: asyncio.WriteTransport | None = None
        self.started: asyncio.Future[Started | Explanation] = loop.create_future()

    @property
    def room(self) -> int:
        """How many more calls it would begin at once; 0 or less where one more would wait in it."""
        return self.capacity - len(self.calls) if self.ready and not self.ended_by else _NO_ROOM

    def ahead(self) -> Call | None:
        """The newest call, where that waits in it for the others."""
        return self.calls.get(self._last_number) if self.room < 0 else None

    def send(self, call: Call) -> None:
        """Have it score a body."""
        self._last_number += 1
        self.calls[self._last_number] = call
        call.worker, call.number = self, self._last_number
        assert self._transport is not None  # noqa: S101  (connected before `launch` returns)
        self._transport.write(shim.REQUEST.pack(len(call.body), self._last_number, call.kind) + call.body)

    def begun(self, number: int) -> bool:
        """Whether the worker had begun the call with this number."""
        marked: int = shim.MARKER.unpack_from(self.marker, 0)[0]
        return number <= marked

    def take_back(self, call: Call) -> bool:
        """Have it leave out a call that it has not begun; False where it has. It says so once the call's turn would be, and
        until then has room for no other in its place."""
        if self.begun(call.number):
            return False
        shim.MARKER.pack_into(self.marker, shim.withdrawn_at(call.number), call.number)
        if self.begun(call.number):  # just now; whether it has seen that, its reply tells
            return False
        call.worker = None
        nobody = call.answer.get_loop().create_future()
        nobody.cancel()
        self.calls[call.number] = Call(call.kind, b"", nobody, call.seconds)
        return True

    def close(self) -> None:
        """Ask it to end when it is idle."""
        if self._transport is not None:
            self._transport.close()

    def kill(self, reason: str) -> None:
        """End it and all that it started, now."""
        if self.process.returncode is not None or self.ended_by:
            return
        self.ended_by = reason
        import psutil  # only here: it is not on the path of a start

        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):  # it ended just now
            descendants = psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
            for one in descendants:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()

    async def wait(self) -> int:
        """Until it is gone and all that it had said is heard; returns its exit status."""
        status = await self.process.wait()
        last = [self._closed, *([self.output.closed] if self.output else [])]
        await asyncio.wait(last, timeout=_LAST_READ)  # a fork of user code may hold the socket open
        self.close()
        if not self.started.done():
            self.started.set_result(
                Explanation("", f"the worker {describe_exit(status)} during init()", "", "")
            )
        return status

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._received += data
        header = shim.REPLY
        while len(self._received) >= header.size:
            length, number, kind, count, taken = header.unpack_from(self._received)
            end = header.size + length
            if len(self._received) < end:
                return
            payload = bytes(self._received[header.size : end])
            del self._received[:end]
            self._hear(number, kind, payload, count, taken)

    def connection_lost(self, _error: Exception | None) -> None:
        self._closed.set_result(None)
        self.ready = False
        asyncio.get_running_loop().call_later(_LAST_WORDS, self.kill, "it left its socket and stayed")

    def _hear(self, number: int, kind: int, payload: bytes, count: int, taken: float) -> None:
        if kind == shim.READY:
            self.ready = True
            self.started.set_result(msgspec.json.decode(payload, type=Started))
        elif kind == shim.INIT_FAILED:
            self.started.set_result(msgspec.json.decode(payload, type=Explanation))
        elif kind == shim.WARM_UP_FAILED:
            self.on_cold(self, msgspec.json.decode(payload, type=Explanation))
        else:
            self.answered |= kind != shim.WITHDRAWN
            self.on_reply(self, Reply(self.calls.pop(number), kind, payload, count, taken))


async def launch(
    settings: Settings,
    slot: int,
    on_reply: Callable[[WorkerProcess, Reply], None],
    on_cold: Callable[[WorkerProcess, Explanation], None],
) -> WorkerProcess:
    """Start a worker; it is not ready before its `started` says so. Raises OSError."""
    threads = settings.limits.concurrency if settings.thread_safe else 1
    marker = os.memfd_create("loopwright-marker")
    ours, theirs = socket.socketpair()
    masked = await masked_output(settings)
    try:
        os.ftruncate(marker, shim.MARKER_SIZE)
        arguments = (theirs.fileno(), marker, threads, os.getpid(), _told(settings))
        process = await asyncio.create_subprocess_exec(
            settings.python, "-I", "-u", str(_SHIM), *map(str, arguments),
            stdin=asyncio.subprocess.DEVNULL, stdout=masked and masked[0], stderr=masked and masked[0], cwd=settings.code if settings.code.is_dir() else settings.package, env=_variables(settings), pass_fds=(theirs.fileno(), marker),
        )  # fmt: skip
        shared = mmap.mmap(marker, shim.MARKER_SIZE)
        worker = WorkerProcess(slot, on_reply, on_cold, process, shared, threads)
        worker.output = masked[1] if masked else None
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        os.close(marker)
        if masked:
            os.close(masked[0])
    await asyncio.get_running_loop().create_connection(lambda: worker, sock=ours)
    return worker


def describe_exit(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"exited with status {status}"
    name = "SIGKILL (out of memory?)" if status == -9 else f"signal {-status}"
    return f"was ended by {name}"


def _told(settings: Settings) -> str:
    """What a worker is to host."""
    model, inputs = settings.model, settings.inputs
    told = {
        "code": str(settings.code),
        "entry": settings.entry,
        "model": (str(settings.model_folder / model.path), model.flavor) if model else None,
        "inputs": [(one.name, one.type) for one in inputs] if inputs is not None else None,
        "batching": settings.batching is not None,
        "form": settings.batching.form if settings.batching else "",
        "example": example.request(settings.package),
    }
    return msgspec.json.encode(told).decode()


def _variables(settings: Settings) -> dict[str, str]:
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(settings.threads)
    )
    model = str(settings.model_folder)
    return {**os.environ, **threads, "MODEL_DIR": model, "AZUREML_MODEL_DIR": model}
