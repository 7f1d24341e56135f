"""How a front comes by its requests: alone on its replica's socket, or as one of several that share it."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from loopwright.scoring.address import Address
from loopwright.scoring.fronts import Front, Peers, Siblings
from loopwright.scoring.logs import Log
from loopwright.scoring.service import Service
from loopwright.scoring.settings import Settings
from loopwright.scoring.worker_shim import follow_parent

if TYPE_CHECKING:
    from loopwright.scoring.doors import Doors

_LOOK = 0.02  # seconds between two looks whether the model is loaded


class Alone:
    """The only front."""

    peers: Peers | None = None

    def __init__(self, place: Path | Address) -> None:
        self._place = place

    async def open(self, doors: Doors, service: Service) -> None:
        """Take requests; goes on until it is cancelled. Raises MachineError."""
        del service
        doors.open(self._place)
        await asyncio.get_running_loop().create_future()

    def drain(self) -> None:
        """The replica was told to end."""

    def vanish(self) -> None:
        """A new connection now fails at once, so its client goes elsewhere; those that are made stay."""
        if isinstance(self._place, Path):
            self._place.unlink(missing_ok=True)

    async def close(self, patience: float) -> None:
        """Leave nothing behind."""


class First(Alone):
    """The first of several: it makes the socket, and keeps the others alive."""

    def __init__(self, settings: Settings, place: Path | Address, arguments: Sequence[str], log: Log) -> None:
        super().__init__(place)
        self._settings, self._arguments, self._log = settings, arguments, log
        self._folder = Path(tempfile.mkdtemp(prefix="loopwright-"))
        self.peers = Peers(Front(0, self._folder), settings.fronts)
        self._siblings: Siblings | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def open(self, doors: Doors, service: Service) -> None:
        from loopwright.scoring.listener import listen

        descriptor = listen(self._place) if isinstance(self._place, Path) else None
        me = Front(0, self._folder, descriptor)
        self._siblings = siblings = Siblings(self._arguments, self._settings, me, self._log)
        service.waits_for = lambda: "" if siblings.ready else "starting the other fronts"
        self._keeping = asyncio.create_task(siblings.run())
        doors.open(me.socket)
        doors.open(os.dup(descriptor) if descriptor is not None else self._place)
        await self._keeping

    def drain(self) -> None:
        if self._siblings:
            self._siblings.stop()

    async def close(self, patience: float) -> None:
        self.drain()
        if self._keeping:
            await asyncio.wait([self._keeping], timeout=patience)
        shutil.rmtree(self._folder, ignore_errors=True)


class Further(Alone):
    """Another one: on its own socket from the beginning, on the common one when it can score; it dies with the first."""

    def __init__(self, settings: Settings, place: Path | Address, front: Front) -> None:
        super().__init__(place)
        self._front = front
        self.peers = Peers(front, settings.fronts)
        follow_parent(os.getppid())

    async def open(self, doors: Doors, service: Service) -> None:
        doors.open(self._front.socket)
        while not service.stats().ready:  # noqa: ASYNC110  (told by many, and only once: no event is worth it)
            await asyncio.sleep(_LOOK)
        doors.open(self._place if self._front.listener is None else self._front.listener)
        await asyncio.get_running_loop().create_future()

    def vanish(self) -> None:
        """The common socket is the first one's to remove."""


def entrance(
    settings: Settings, place: Path | Address, arguments: Sequence[str], front: Front | None, log: Log
) -> Alone:
    """The one for this process; `front` where it is not the first."""
    if front is not None:
        return Further(settings, place, front)
    return First(settings, place, arguments, log) if settings.fronts > 1 else Alone(place)
