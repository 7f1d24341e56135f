"""The door for gRPC, which most replicas keep shut: what it takes is imported only where it is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from loopwright.errors import MachineError
from loopwright.scoring import example
from loopwright.scoring.address import Address
from loopwright.scoring.logs import Log
from loopwright.scoring.open_inference import OpenInference
from loopwright.scoring.request_ids import request_ids
from loopwright.scoring.service import Service

if TYPE_CHECKING:
    from loopwright.scoring.grpc_server import GrpcServer

# We fork only to start other programs, which its handlers would talk about in our log; and errors are ours to tell.
_GRPC_VARIABLES = {"GRPC_ENABLE_FORK_SUPPORT": "0", "GRPC_VERBOSITY": "NONE"}


class GrpcDoor:
    """Opened at `place`; nowhere where that is None."""

    def __init__(self, place: Path | Address | None) -> None:
        self._place = place
        self._server: GrpcServer | None = None

    @property
    def active(self) -> int:
        """Calls that have come and have no answer yet."""
        return self._server.active if self._server else 0

    async def open(self, service: Service, log: Log) -> None:
        """Take calls; raises MachineError."""
        if self._place is None:
            return
        with _told_to_grpc():
            try:
                from loopwright.scoring.grpc_server import GrpcServer
            except ModuleNotFoundError as error:
                raise MachineError(
                    f"gRPC is switched on and needs {error.name}: install loopwright[grpc], or switch it off."
                ) from error
            oip = OpenInference(service, example.whole(service.settings.package))
            self._server = GrpcServer(service, oip, request_ids(), log)
        await self._server.start(self._place)

    def vanish(self) -> None:
        """A new connection now fails at once; those that are made stay."""
        if self._server:
            self._server.vanish()

    async def close(self, patience: float) -> None:
        """Take no more calls, and let those that came be answered for so many seconds."""
        if self._server:
            self.vanish()
            await self._server.stop(patience)


@contextmanager
def _told_to_grpc() -> Iterator[None]:
    """gRPC reads these when it is first used, and sets one itself; afterwards all are gone again, since user code is
    started with our variables."""
    before = {name for name in os.environ if name.startswith("GRPC_")}
    os.environ.update({name: value for name, value in _GRPC_VARIABLES.items() if name not in before})
    try:
        yield
    finally:
        for name in [one for one in os.environ if one.startswith("GRPC_") and one not in before]:
            del os.environ[name]
