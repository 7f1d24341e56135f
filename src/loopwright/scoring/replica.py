"""A replica from its start to its end: workers, the listener on its socket, and what a stop signal does."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from loopwright.scoring import example, observing, tracing
from loopwright.scoring.address import Address
from loopwright.scoring.entrance import entrance
from loopwright.scoring.fronts import Front, share
from loopwright.scoring.grpc_door import GrpcDoor
from loopwright.scoring.in_front import FrontScorer
from loopwright.scoring.logs import Log
from loopwright.scoring.rows import Parser
from loopwright.scoring.scorer import Scorer
from loopwright.scoring.service import Service
from loopwright.scoring.settings import Settings
from loopwright.scoring.telemetry import Telemetry
from loopwright.scoring.workers import WorkerPool

if TYPE_CHECKING:
    from loopwright.scoring.app import App
    from loopwright.scoring.doors import Doors

STOPPED, INIT_FAILED = 0, 3  # exit statuses

_SAY_WHY = 0.5  # seconds that /readyz still says why init() failed
_QUIET = 0.1  # seconds without a request after which none is expected any more
_RESERVE = 1.0  # seconds of the grace period, at most, that are kept for ending connections and workers


class Replica:
    """One replica on one socket, or TCP address.

    Where it has several fronts this is one of them: the first, or with `front` another, which `arguments` start.
    """

    def __init__(
        self,
        settings: Settings,
        place: Path | Address,
        log: Log,
        arguments: Sequence[str] = (),
        front: Front | None = None,
        grpc: GrpcDoor | None = None,
    ) -> None:
        if settings.fronts > 1:
            settings = msgspec.structs.replace(settings, limits=share(settings.limits, settings.fronts))
        self._settings = settings
        self._place = place
        self._log = log
        telemetry = Telemetry(settings, log, front.number if front else 0)
        self._scorer = _scorer(settings, telemetry, log)
        self._recorder = observing.recorder(settings, place, log)
        self._service = Service(settings, self._scorer, telemetry, self._recorder)
        self._service.tracer = tracing.tracer(settings, os.environ, log)
        self._grpc = grpc or GrpcDoor(None)
        self._entrance = entrance(settings, place, arguments, front, log)

    async def serve(self) -> int:
        """Until a stop signal or a failing init(); returns the exit status. Raises MachineError without a socket."""
        stopping = _stop_signal()
        self._log.info("starting", version=self._settings.version, socket=str(self._place))
        living = asyncio.create_task(self._scorer.run())
        recording = asyncio.create_task(self._recorder.run()) if self._recorder else None
        try:
            await asyncio.sleep(0)  # the workers start while we import the server
            doors, app = self._listen()
            await self._grpc.open(self._service, self._log)
            opening = asyncio.create_task(self._entrance.open(doors, self._service))
            first: list[asyncio.Future[Any]] = [living, doors.broken, opening, stopping]
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                opening.result()
            if doors.broken.done():
                doors.broken.result()
            if living.done():
                self._log.say(living.result())
                await asyncio.wait([stopping], timeout=_SAY_WHY)
                self._entrance.vanish()
                await doors.close(_RESERVE)
                return INIT_FAILED
            opening.cancel()
            await self._drain(app, doors)
            return STOPPED
        finally:
            await self._grpc.close(0.0)
            if self._service.tracer:
                await asyncio.to_thread(self._service.tracer.close)
            await self._entrance.close(_RESERVE)
            await self._scorer.stop(_RESERVE)
            if self._recorder and recording:
                await self._recorder.close()
                recording.cancel()
            self._log.info("stopped", completed=self._service.stats().completed)

    def _listen(self) -> tuple[Doors, App]:
        from loopwright.scoring.app import App
        from loopwright.scoring.cors import Cors
        from loopwright.scoring.doors import Doors

        app: App
        if self._settings.entry:
            from loopwright.scoring.azure import ScriptApp

            app = ScriptApp(self._service, self._log, self._entrance.peers)
        else:
            app = App(self._service, self._log, self._entrance.peers)
        return Doors(Cors(app, self._settings.cors) if self._settings.cors else app), app

    async def _drain(self, app: App, doors: Doors) -> None:
        """End without failing a request: stay reachable while requests come, vanish, then answer what was taken."""
        stats = self._service.stats()
        self._log.info("draining", in_flight=stats.in_flight, queued=stats.queued, completed=stats.completed)
        self._service.draining = True
        self._entrance.drain()
        now = asyncio.get_running_loop().time()
        grace = self._settings.grace_period
        reserve = min(_RESERVE, grace / 4)
        await _quiet(lambda: app.active + self._grpc.active, until=now + grace / 2)
        self._entrance.vanish()
        self._grpc.vanish()
        await _quiet(lambda: app.active + self._grpc.active, until=now + grace - reserve)
        left = now + grace - reserve - asyncio.get_running_loop().time()
        await asyncio.gather(doors.close(max(0.0, left)), self._grpc.close(max(0.0, left)))
        if not doors.closed:
            self._service.abandon()
            await doors.wait(reserve / 2)


def _scorer(settings: Settings, telemetry: Telemetry, log: Log) -> Scorer:
    if not settings.compiled:
        return WorkerPool(settings, telemetry, log)
    row = example.request(settings.package)
    rows = Parser(settings.inputs or ()).records([row]) if row is not None else []
    return FrontScorer(settings, rows, telemetry, log)


def _stop_signal() -> asyncio.Future[None]:
    """Done once the process is asked to stop."""
    loop = asyncio.get_running_loop()
    stopping: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if not stopping.done():
            stopping.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    return stopping


async def _quiet(active: Callable[[], int], until: float) -> None:
    """Return when no scoring request has been there for a moment, or at the loop's time `until`."""
    loop = asyncio.get_running_loop()
    busy = loop.time()
    while (now := loop.time()) < until:
        if active():
            busy = now
        elif now - busy >= _QUIET:
            return
        await asyncio.sleep(_QUIET / 10)
