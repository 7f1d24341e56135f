"""An activator: `python -m loopwright.engines.local.activator --folder DIR --bell PATH --agent-bell PATH`.

It stands in for the replicas of sets that are scaled to zero. The gateway sends it the requests of a set without a ready
replica; it tells the agent that the set is wanted, holds them, and gives each to a replica once one is ready. The
gateway then turns to the replica by itself. Two of them run, so that one killed costs nothing: the gateway tries the other.

The agent starts it where a set may have no replicas, and neither of the two asks the control plane. Files pass between
them (`activator_files`), and each has a doorbell.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec

from loopwright.engines.local.activator_files import DEMAND, SETS, Demand, FileOf, Sleeper
from loopwright.engines.local.activator_http import (
    MOST_HEAD,
    Refused,
    Request,
    header,
    read_request,
    relay,
)
from loopwright.engines.local.activator_queue import Allowance, HeldSet, Memory
from loopwright.engines.local.doorbell import Doorbell, ring
from loopwright.log import configure, logger
from loopwright.state import replace_file

__all__ = ["Activator", "main"]

_LOOK = 1.0  # seconds between two looks at the file where nothing rings
_TELL = 0.02  # seconds between two tellings of what is wanted, however many requests come
_AGAIN = 0.05  # seconds until another try where a replica that was ready is not there
_GONE = (ConnectionRefusedError, FileNotFoundError)
_log = logger("activator")


class Activator:
    """All sets that the agent's file names."""

    def __init__(self, folder: Path, bell: Doorbell, agent_bell: str) -> None:
        self._bell, self._agent_bell = bell, agent_bell
        self._file: FileOf[tuple[Sleeper, ...]] = FileOf(folder / SETS, tuple[Sleeper, ...], ())
        self._demand_file = folder / DEMAND
        self._told: Demand | None = None
        self._telling: asyncio.TimerHandle | None = None
        self._sets: dict[str, HeldSet] = {}
        self._servers: dict[str, asyncio.Server] = {}
        self._memory = Memory()
        self._tasks: set[asyncio.Task[None]] = set()
        self._rung = asyncio.Event()

    async def run(self) -> None:
        """Serve until killed."""
        asyncio.get_running_loop().add_reader(self._bell.fileno(), self._ring)
        self._tell()
        while True:
            self._rung.clear()
            if self._file.read():
                await self._take_in(self._file.content)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), _LOOK)

    def _ring(self) -> None:
        self._bell.wait(0)
        self._rung.set()

    async def _take_in(self, sleepers: tuple[Sleeper, ...]) -> None:
        wanted = {sleeper.name: sleeper for sleeper in sleepers}
        for name in self._sets.keys() - wanted.keys():
            self._servers.pop(name).close()
            self._sets.pop(name).refuse(
                Refused(503, "not-ready", "This revision serves no longer. Try again.", 1)
            )
        for name, sleeper in wanted.items():
            if name in self._sets:
                self._sets[name].update(sleeper)
            else:
                self._sets[name] = held = HeldSet(sleeper)
                self._servers[name] = await self._listen(held)

    async def _listen(self, held: HeldSet) -> asyncio.Server:
        path = Path(held.sleeper.socket)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(
            lambda reader, writer: self._begin(held, reader, writer), str(fresh), limit=MOST_HEAD
        )
        fresh.rename(path)  # so that there is a socket at the path only when somebody listens to it
        return server

    def _begin(self, held: HeldSet, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._connection(held, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connection(
        self, held: HeldSet, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One request; the root of its handling."""
        head = b""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await self._hold(held, head, reader, writer)
        except Refused as refused:
            request_id = header(head.split(b"\r\n"), b"x-request-id").decode("latin-1")
            writer.write(refused.answer(request_id))
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # The client has gone, or the replica died: a reset tells the gateway, which knows what may be sent again.
            writer.transport.abort()
        except Exception:
            _log.exception("a request failed", extra={"action": "request", "set": held.sleeper.name})
            writer.transport.abort()
        finally:
            writer.close()

    async def _hold(
        self, held: HeldSet, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        deadline = asyncio.get_running_loop().time() + held.sleeper.patience
        allowance = Allowance(self._memory, held.sleeper.max_body)
        try:
            held.enter()
        finally:
            self._changed()  # one that is refused is wanted too
        try:
            request = await read_request(reader, head, allowance.take)
            answering = asyncio.ensure_future(self._answer(held, request, writer, deadline))
            await _unless_gone(answering, reader)
        finally:
            allowance.release()
            held.leave()
            self._changed()

    async def _answer(
        self, held: HeldSet, request: Request, writer: asyncio.StreamWriter, deadline: float
    ) -> None:
        """Wait for a replica and relay its answer; for another one where it is not there any more."""
        while True:
            socket = await held.turn(deadline)
            self._changed()
            try:
                await relay(request, socket, writer)
            except _GONE:
                await asyncio.sleep(_AGAIN)
            else:
                return
            finally:
                held.done()

    def _changed(self) -> None:
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_TELL, self._tell)

    def _tell(self) -> None:
        """Write what is wanted, and wake the agent where that is news."""
        self._telling = None
        demand = Demand(
            held={name: held.held for name, held in self._sets.items() if held.held},
            asked={name: held.asked for name, held in self._sets.items()},
            inside=sum(held.inside for held in self._sets.values()),
        )
        if demand == self._told:
            return
        try:
            replace_file(self._demand_file, msgspec.json.encode(demand))
        except OSError as error:  # a full disk: tried again
            _log.error("what is wanted cannot be told", extra={"action": "tell", "error": str(error)})
            self._telling = asyncio.get_running_loop().call_later(_LOOK, self._tell)
            return
        self._told = demand
        ring(self._agent_bell)


async def _unless_gone(answering: asyncio.Future[None], reader: asyncio.StreamReader) -> None:
    """Wait for an answer. Raises ConnectionResetError as soon as the client closes its connection before."""
    gone = asyncio.ensure_future(reader.read(1))
    both: set[asyncio.Future[Any]] = {answering, gone}
    try:
        done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if answering not in done:
            raise ConnectionResetError("the client has gone")
        answering.result()
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)


def main() -> None:
    """Run one activator until it is killed."""
    parser = argparse.ArgumentParser(prog="python -m loopwright.engines.local.activator")
    parser.add_argument("--folder", type=Path, required=True, help="where its two files are")
    parser.add_argument("--bell", required=True, help="the socket at which it is woken")
    parser.add_argument("--agent-bell", required=True, help="the socket at which it wakes the agent")
    given = parser.parse_args()
    configure()
    asyncio.run(Activator(given.folder, Doorbell(given.bell), given.agent_bell).run())


if __name__ == "__main__":
    main()
