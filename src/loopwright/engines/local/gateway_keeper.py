"""The agent's side of the gateway: started as soon as it can be, then kept to what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from loopwright.engines.base import ServiceStatus
from loopwright.engines.local.backoff import Backoff
from loopwright.engines.local.desired import Desired, routes_digest
from loopwright.engines.local.gateway import Gateway
from loopwright.errors import LoopwrightError
from loopwright.log import logger

__all__ = ["GatewayKeeper"]

T = TypeVar("T")
_NAME = "gateway"
_SOON, _LATER = 0.05, 1.0  # seconds between looks while something is to be accepted, and otherwise
_log = logger("agent.gateway")


class GatewayKeeper:
    """Holds the Gateway once it could be started; until then `services` says why it could not."""

    def __init__(self, folder: Path, sockets: Path) -> None:
        self._folder, self._sockets = folder, sockets
        self._gateway: Gateway | None = None
        self._backoff = Backoff(first=1.0, longest=10.0)
        self._message = ""
        self._wanted = ""

    def tick(self, desired: Desired, endpoints: Mapping[str, Sequence[str]], now: float) -> None:
        """Bring it on."""
        if self._gateway is not None and not self._gateway.is_at(desired.gateway):
            self._try(self._gateway.move, desired.gateway, now)
        if self._gateway is None and self._backoff.allows(now):
            self._start(desired, now)
        if self._gateway is not None:
            self._wanted = routes_digest(desired.routes)
            self._gateway.want(desired.routes, endpoints)
            self._gateway.tick(now)

    def _start(self, desired: Desired, now: float) -> None:
        gateway = Gateway(desired.gateway, self._folder, self._sockets)
        if self._try(gateway.start, now, now):
            self._gateway = gateway

    def _try(self, act: Callable[[T], None], given: T, now: float) -> bool:
        """Do what may fail for a reason that can pass; whether it succeeded."""
        if not self._backoff.allows(now):
            return False
        try:
            act(given)
        except (LoopwrightError, OSError) as error:
            if self._message != str(error):
                _log.error("the gateway cannot be started", extra={"action": "start", "error": str(error)})
            self._message = str(error)
            self._backoff.failed(now)
            return False
        self._message = ""
        return True

    def drained(self, replica_set: str, socket: str) -> bool:
        """Whether this replica, no longer wanted there, gets nothing from the gateway any more."""
        return self._gateway is None or self._gateway.drained(replica_set, socket)

    def stop(self, desired: Desired, now: float) -> None:
        """End it now, also the processes that an earlier agent left."""
        if self._gateway is None:
            self._start(desired, now)
        if self._gateway is not None:
            self._gateway.stop(graceful=False)
            self._gateway = None

    @property
    def accepted(self) -> str:
        """Digest of the newest route table that every Envoy serves."""
        return self._gateway.accepted if self._gateway else ""

    @property
    def rejected(self) -> str:
        """Why the wanted table is not served."""
        return self._message or (self._gateway.rejected if self._gateway else "")

    @property
    def interval(self) -> float:
        """Seconds until the next look."""
        return _LATER if self._gateway is None or self.accepted == self._wanted else _SOON

    def services(self, now: float) -> dict[str, ServiceStatus]:
        """How its processes are."""
        if self._gateway is not None:
            return self._gateway.services(now)
        return {
            _NAME: ServiceStatus(
                name=_NAME, state="dead" if self._message else "starting", message=self._message
            )
        }
