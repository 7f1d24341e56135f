"""Which replicas are on their way out of the gateway, and when each of them has answered its last request.

A replica that is no longer wanted is first written as draining: every Envoy stops giving it work and goes on reporting
what it still has there. Only when that is nothing (or no request can be that old) is it taken out of its file. Which
replicas are leaving is told by the files, so that an agent that starts anew goes on where the last one was killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from loopwright import routing
from loopwright.routing import Member, Pipe, Resource

__all__ = ["Departures"]

# A worker of Envoy learns of a changed file a moment after its admin does: what is idle must still be so later.
_SETTLED = 0.1

Replica = tuple[str, Pipe]


class Departures:
    """Follows them; times are seconds of the caller's clock."""

    def __init__(self) -> None:
        self._since: dict[Replica, float] = {}
        self._idle_since: dict[Replica, float] = {}
        self._done: set[Replica] = set()

    @property
    def pending(self) -> bool:
        """Whether any replica is still on its way out."""
        return bool(self._since)

    def members(
        self,
        wanted: Mapping[str, Sequence[routing.Address]],
        written: Mapping[str, Resource | None],
        now: float,
    ) -> dict[str, tuple[Member, ...]]:
        """The members that each cluster's file should hold now."""
        # What is out of its file, or wanted again, is no longer done: the same socket may leave another time.
        self._done = {
            (name, address)
            for name, address in self._done
            if address not in wanted.get(name, ()) and address in _addresses(written.get(name))
        }
        members = {
            name: routing.with_draining(wanted.get(name, ()), written.get(name), self._finished(name))
            for name in wanted.keys() | written.keys()
        }
        self._follow(
            {(name, one.address) for name, all_ in members.items() for one in all_ if one.draining}, now
        )
        return members

    def observe(self, loads: Sequence[routing.Loads | None], longest: float, now: float) -> None:
        """Take in what each running Envoy reports (None: nothing); none is followed for more than `longest` seconds."""
        heard = [one for one in loads if one is not None]
        for replica, since in list(self._since.items()):
            idle = len(heard) == len(loads) and routing.idle(*replica, heard)
            idle_since = self._idle_since.setdefault(replica, now) if idle else now
            if not idle:
                self._idle_since.pop(replica, None)
            if now - idle_since >= _SETTLED or now - since > longest:
                self._done.add(replica)

    def _finished(self, name: str) -> list[Pipe]:
        return [address for cluster, address in self._done if cluster == name]

    def _follow(self, leaving: Iterable[tuple[str, routing.Address]], now: float) -> None:
        pipes = {(name, address) for name, address in leaving if isinstance(address, Pipe)}
        self._since = {one: self._since.get(one, now) for one in pipes}
        self._idle_since = {one: at for one, at in self._idle_since.items() if one in pipes}


def _addresses(members: Resource | None) -> list[routing.Address]:
    return [member.address for member in routing.members_in(members)]
