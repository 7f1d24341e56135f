"""A socket that takes connections for the application, on one event loop with all else that a front does."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import stat
from pathlib import Path

from loopwright.errors import MachineError
from loopwright.scoring.address import Address
from loopwright.scoring.app import Application
from loopwright.scoring.connections import Connections
from loopwright.scoring.http1 import Connection

_BACKLOG = 1024  # connections that the kernel holds until they are taken
KEEP_ALIVE = 75.0  # seconds that an idle connection stays open; a proxy's must be shorter, or the two race
_LOOK = 5.0  # seconds between two looks at all connections
_TAKEN = 0.02  # seconds after which the event loop has told of every connection that it has taken
_LONGEST_PATH = 107  # bytes; Linux holds 108 with the final NUL
_WANTED_FILES = 8192  # open files: overload opens many connections, and health checks need one too
_SPARE_FILES = 128  # of those, for all but connections


class Listener:
    """Takes requests for `app` on a TCP address, or on a Unix socket: at a path, which only its owner may use, or one that
    is a descriptor already."""

    def __init__(self, app: Application, place: Path | Address | int) -> None:
        self._app = app.__rsgi__
        self._place = listen(place) if isinstance(place, Path) else place
        self._connections = Connections(most=_raise_file_limit() - _SPARE_FILES, none_left=self._none_left)
        self._server: asyncio.Server | None = None
        self._stopped = False
        self._over = asyncio.Event()

    async def serve(self) -> None:
        """Until `stop()`, and then until what is being answered is; raises OSError where the place cannot be had."""
        self._server = await self._open()
        looking = asyncio.create_task(self._look())
        try:
            await self._over.wait()
        finally:
            looking.cancel()
            self._server.close()

    def stop(self) -> None:
        """Take no more connections, and close each once it is idle."""
        self._stopped = True
        if self._server is not None:
            self._server.close()
        self._connections.stop()
        asyncio.get_running_loop().call_later(_TAKEN, self._none_left)

    async def _open(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        if isinstance(self._place, Address):  # several fronts share one port
            return await loop.create_server(
                self._connect, self._place.host, self._place.port, backlog=_BACKLOG, reuse_port=True
            )
        made = socket.socket(fileno=self._place)
        made.setblocking(False)
        return await loop.create_unix_server(self._connect, sock=made, backlog=_BACKLOG)

    def _connect(self) -> Connection:
        return Connection(self._app, self._connections)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            self._connections.look(KEEP_ALIVE)

    def _none_left(self) -> None:
        if self._stopped and not self._connections:
            self._over.set()


def listen(path: Path) -> int:
    """The descriptor of a Unix socket at `path` that takes connections of its owner alone; raises MachineError."""
    clear(path)
    made = socket.socket(socket.AF_UNIX)
    try:
        before = os.umask(0o177)  # never another's, not even for a moment
        try:
            made.bind(str(path))
        finally:
            os.umask(before)
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError as error:
        raise MachineError(f"The socket {path} cannot be made: {error.strerror}.") from error
    return made.detach()


def clear(path: Path) -> None:
    """Remove the socket that a killed replica left, and nothing else."""
    if len(bytes(path.absolute())) > _LONGEST_PATH:
        raise MachineError(
            f"The socket path {path} is longer than {_LONGEST_PATH} bytes; name a shorter one."
        )
    if not path.parent.is_dir():
        raise MachineError(
            f"The folder of the socket {path} is not there; make it, or name another with --socket."
        )
    if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
        raise MachineError(f"{path} is a file and not a socket; remove it, or name another with --socket.")
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise MachineError(f"The old socket {path} cannot be removed: {error.strerror}.") from error


def _raise_file_limit() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(_WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted, _SPARE_FILES * 2)
