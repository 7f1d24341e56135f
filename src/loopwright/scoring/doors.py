"""Where one front takes requests: a listener for each place, opened one by one and closed together."""

from __future__ import annotations

import asyncio
from pathlib import Path

from loopwright.errors import MachineError
from loopwright.scoring.address import Address
from loopwright.scoring.app import Application
from loopwright.scoring.listener import Listener


class Doors:
    """The listeners of a front; `broken` ends, with MachineError, where one cannot be served."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._listeners: list[Listener] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._stopped = False
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def closed(self) -> bool:
        """Whether all that was taken is answered."""
        return all(task.done() for task in self._serving)

    def open(self, place: Path | Address | int) -> None:
        """Take requests there too, on a descriptor if it is a number. Raises MachineError."""
        listener = Listener(self._app, place)
        task = asyncio.get_running_loop().create_task(listener.serve())
        task.add_done_callback(lambda task: self._ended(place, task))
        self._listeners.append(listener)
        self._serving.add(task)

    async def close(self, patience: float) -> None:
        """Take no more; returns when all that was taken is answered, or after `patience` seconds."""
        self._stopped = True
        for listener in self._listeners:
            listener.stop()
        await self.wait(patience)

    async def wait(self, patience: float) -> None:
        """Until all is answered, or so many seconds."""
        await asyncio.wait(self._serving, timeout=patience)

    def _ended(self, place: Path | Address | int, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if not self._stopped and not self.broken.done():
            self.broken.set_exception(MachineError(f"The socket {place} cannot be served: {error}."))
