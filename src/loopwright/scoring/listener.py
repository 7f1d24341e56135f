"""The HTTP server on the replica's socket: Granian, embedded in our own event loop.

Embedded and not its multi-process server, because then the front is one process: killed with SIGKILL it leaves no
orphan, and it starts no slower. What Granian lacks is bounded elsewhere: bodies in `body`, requests in `admission`.
"""

from __future__ import annotations

import os
import resource
import socket
import stat
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from loopwright.errors import MachineError
from loopwright.scoring.address import Address
from loopwright.scoring.app import Application

_BACKLOG = 1024  # connections that the kernel holds until they are taken
KEEP_ALIVE = 75.0  # seconds that an idle connection stays open; a proxy's must be shorter, or the two race
_LONGEST_PATH = 107  # bytes; Linux holds 108 with the final NUL
_WANTED_FILES = 8192  # open files: overload opens many connections, and health checks need one too
_SPARE_FILES = 128  # of those, for all but connections


class Listener:
    """Takes requests for `app` on a TCP address, or on a Unix socket: at a path, which only its owner may use, or one that
    is a descriptor already."""

    def __init__(self, app: Application, place: Path | Address | int) -> None:
        self._server = _Server(
            app,
            place,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=_BACKLOG,
            backpressure=_raise_file_limit() - _SPARE_FILES,  # connections: those beyond wait unaccepted
            http1_settings=HTTP1Settings(header_read_timeout=int(KEEP_ALIVE * 1000)),
            log_enabled=False,
        )

    async def serve(self) -> None:
        """Until `stop()`, and then until what is being answered is."""
        await self._server.serve()

    def stop(self) -> None:
        """Take no more connections, and close each once it is idle."""
        self._server.stop()  # type: ignore[no-untyped-call]


class _Server(Server):
    """Granian's, on a Unix socket that is there already."""

    def __init__(self, app: Application, place: Path | Address | int, **settings: Any) -> None:
        at = (
            {"address": place.host, "port": place.port}
            if isinstance(place, Address)
            else {"uds": Path("none")}
        )
        super().__init__(app, **at, **settings)
        self._descriptor = listen(place) if isinstance(place, Path) else place

    def _init_shared_socket(self) -> None:
        if isinstance(self._descriptor, Address):
            super()._init_shared_socket()  # type: ignore[no-untyped-call]
        else:
            self._shd: Any = SocketHolder(self._descriptor, True, _BACKLOG)  # type: ignore[call-arg]


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
