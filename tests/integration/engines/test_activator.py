"""A real activator over tiny replicas, spoken to as the gateway does; no engine and no gateway."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from waiting import until

from loopwright.engines.local.activator_files import DEMAND, SETS, Demand, Sleeper
from loopwright.engines.local.doorbell import ring
from loopwright.state import replace_file

TINY = Path(__file__).parents[2] / "support" / "tiny_replica.py"


class Rig:
    """One activator for the set `w`, and the agent's side of its two files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sleeper = Sleeper(
            name="w", socket=str(folder / "a.sock"), places=3, patience=20.0, max_body=1000, concurrency=2
        )
        self.tell()
        words = [
            "--folder",
            str(folder),
            "--bell",
            str(folder / "bell"),
            "--agent-bell",
            str(folder / "agent"),
        ]
        self.process = subprocess.Popen([sys.executable, "-m", "loopwright.engines.local.activator", *words])
        until(Path(self.sleeper.socket).exists)
        self.replicas: list[subprocess.Popen[bytes]] = []

    def tell(self, **fields: Any) -> None:
        self.sleeper = msgspec.structs.replace(self.sleeper, **fields)
        replace_file(self.folder / SETS, msgspec.json.encode([self.sleeper]))
        ring(str(self.folder / "bell"))

    @property
    def demand(self) -> Demand:
        try:
            return msgspec.json.decode((self.folder / DEMAND).read_bytes(), type=Demand)
        except FileNotFoundError:
            return Demand()

    def holds(self, count: int) -> None:
        until(lambda: self.demand.held.get("w", 0) == count)

    def replica(self) -> str:
        """Start one; its socket."""
        path = str(self.folder / f"r{len(self.replicas)}.sock")
        process = subprocess.Popen([sys.executable, str(TINY), path, "r"], stdout=subprocess.PIPE)
        self.replicas.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return path

    def close(self) -> None:
        for process in [self.process, *self.replicas]:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="lw-") as folder:
        rig = Rig(Path(folder))
        yield rig
        rig.close()


@contextlib.asynccontextmanager
async def asked(rig: Rig, body: bytes = b"{}", extra: str = "", path: str = "/score") -> AsyncIterator[Any]:
    """A request that has been sent; the answer's reader."""
    reader, writer = await asyncio.open_unix_connection(rig.sleeper.socket)
    length = "" if "chunked" in extra else f"content-length: {len(body)}\r\n"
    writer.write(
        f"POST {path} HTTP/1.1\r\nhost: x\r\nx-request-id: id-7\r\n{length}{extra}\r\n".encode() + body
    )
    await writer.drain()
    try:
        yield reader
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], Any]:
    head, _, body = (await asyncio.wait_for(reader.read(), 20)).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split(" ")[1]), headers, json.loads(body)


async def in_thread(act: Any, *given: Any, **named: Any) -> Any:
    return await asyncio.to_thread(act, *given, **named)


def test_a_request_is_held_told_of_and_answered_once_a_replica_is_ready(rig: Rig) -> None:
    async def go() -> None:
        async with asked(rig, b"12345", "x-loopwright-client: ada\r\n") as reader:
            await in_thread(rig.holds, 1)
            await in_thread(lambda: rig.tell(ready=(rig.replica(),)))
            status, headers, told = await answer(reader)
        assert (status, told["path"], told["length"]) == (200, "/score", 5)
        assert (headers["connection"], headers["x-request-id"]) == ("close", "from-r")
        assert told["headers"]["x-request-id"] == "id-7"
        assert told["headers"]["x-loopwright-client"] == "ada"
        await in_thread(rig.holds, 0)
        assert (rig.demand.asked, rig.demand.inside) == ({"w": 1}, 0)

    asyncio.run(go())


def test_a_body_in_chunks_arrives_whole(rig: Rig) -> None:
    async def go() -> None:
        rig.tell(ready=(rig.replica(),))
        async with asked(
            rig, b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n", "transfer-encoding: chunked\r\n"
        ) as reader:
            status, _, told = await answer(reader)
        assert (status, told["length"]) == (200, 7)

    asyncio.run(go())


def test_more_than_may_wait_are_refused_with_a_time_to_try_again(rig: Rig) -> None:
    async def go() -> None:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(asked(rig))
            await in_thread(rig.holds, 3)
            async with asked(rig) as reader:
                status, headers, told = await answer(reader)
        assert (status, told["error"]["code"], int(headers["retry-after"]) > 0) == (503, "queue-full", True)
        assert headers["x-request-id"] == "id-7"

    asyncio.run(go())


def test_a_request_past_its_patience_is_refused_with_a_time_to_try_again(rig: Rig) -> None:
    async def go() -> None:
        rig.tell(patience=0.2)
        async with asked(rig) as reader:
            status, headers, told = await answer(reader)
        assert (status, told["error"]["code"], "retry-after" in headers) == (503, "not-ready", True)

    asyncio.run(go())


def test_a_client_that_goes_takes_its_request_along(rig: Rig) -> None:
    async def go() -> None:
        async with asked(rig):
            await in_thread(rig.holds, 1)
        await in_thread(rig.holds, 0)
        assert rig.demand.inside == 0

    asyncio.run(go())


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_unread(rig: Rig, chunked: bool) -> None:
    async def go() -> None:
        body, extra = (b"7d0\r\n", "transfer-encoding: chunked\r\n") if chunked else (b"x" * 2000, "")
        async with asked(rig, body, extra) as reader:
            status, _, told = await answer(reader)
        assert (status, told["error"]["code"]) == (413, "body-too-large")

    asyncio.run(go())


def test_who_waits_for_replicas_that_do_not_come_up_is_told(rig: Rig) -> None:
    async def go() -> None:
        async with asked(rig) as reader:
            await in_thread(rig.holds, 1)
            rig.tell(failing="no model")
            assert (await answer(reader))[0] == 503
        async with asked(rig) as reader:
            status, _, told = await answer(reader)
        assert (status, "do not come up" in told["error"]["message"]) == (503, True)
        await in_thread(until, lambda: rig.demand.asked == {"w": 2})

    asyncio.run(go())


def test_a_ready_replica_is_given_no_more_than_it_works_on_at_once(rig: Rig) -> None:
    async def go() -> None:
        held = rig.folder / "hold"
        held.touch()
        async with contextlib.AsyncExitStack() as stack:
            readers = [
                await stack.enter_async_context(asked(rig, path=f"/score?held={held}")) for _ in range(3)
            ]
            await in_thread(rig.holds, 3)
            await in_thread(lambda: rig.tell(ready=(rig.replica(),)))
            await in_thread(rig.holds, 1)
            held.unlink()
            assert [(await answer(reader))[0] for reader in readers] == [200] * 3

    asyncio.run(go())


def test_another_replica_is_tried_where_one_is_not_there_any_more(rig: Rig) -> None:
    async def go() -> None:
        async with asked(rig) as reader:
            rig.tell(ready=(str(rig.folder / "gone.sock"),))
            await in_thread(lambda: rig.tell(ready=(rig.replica(),)))
            assert (await answer(reader))[0] == 200

    asyncio.run(go())


def test_a_replica_that_dies_with_a_request_resets_it(rig: Rig) -> None:
    async def go() -> None:
        rig.tell(ready=(rig.replica(),))
        async with asked(rig, path="/score?die=r") as reader:
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(1), 20)

    asyncio.run(go())


def test_who_waits_for_a_set_that_is_let_go_is_told(rig: Rig) -> None:
    async def go() -> None:
        async with asked(rig) as reader:
            await in_thread(rig.holds, 1)
            replace_file(rig.folder / SETS, b"[]")
            ring(str(rig.folder / "bell"))
            assert (await answer(reader))[0] == 503

    asyncio.run(go())
