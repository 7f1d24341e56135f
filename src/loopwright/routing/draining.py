"""When a replica may be stopped: after every Envoy has stopped giving it work and has its last answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from loopwright.routing.resources import Resource
from loopwright.routing.table import Address, HostPort, Member, Pipe


@dataclass(frozen=True)
class Load:
    """What one Envoy reports of one member: whether it knows it as draining, and its requests under way."""

    draining: bool
    active: int


Loads = Mapping[tuple[str, Address], Load]


def members_in(resource: Resource | None) -> tuple[Member, ...]:
    """The members that an endpoint resource holds."""
    return tuple(
        Member(_address(member["endpoint"]["address"]), member["health_status"] == "DRAINING")
        for assignment in (resource or {}).get("resources", ())
        for locality in assignment["endpoints"]
        for member in locality["lb_endpoints"]
    )


def with_draining(
    wanted: Iterable[Address], written: Resource | None, drained: Collection[Address]
) -> tuple[Member, ...]:
    """The members to write: those wanted, and as draining those that are written, not wanted and not drained yet."""
    kept = tuple(dict.fromkeys(wanted))
    leaving = [
        member.address
        for member in members_in(written)
        if member.address not in kept and member.address not in drained
    ]
    return (*map(Member, kept), *(Member(address, draining=True) for address in leaving))


def loads_in(dump: Resource) -> dict[tuple[str, Address], Load]:
    """What an Envoy's admin answers to `/clusters?format=json`, as values."""
    return {
        (cluster["name"], _address(host["address"])): Load(
            draining=host.get("health_status", {}).get("eds_health_status") == "DRAINING",
            active=_active(host.get("stats", ())),
        )
        for cluster in dump.get("cluster_statuses", ())
        for host in cluster.get("host_statuses", ())
    }


def idle(cluster: str, address: Address, loads: Sequence[Loads]) -> bool:
    """Whether none of these Envoys has a request at this member or will send it one."""
    seen = [one[cluster, address] for one in loads if (cluster, address) in one]
    return all(load.draining and load.active == 0 for load in seen)


def _active(stats: Iterable[Mapping[str, str]]) -> int:
    wanted = ("rq_active", "rq_pending_active")
    return sum(int(stat.get("value", 0)) for stat in stats if stat["name"] in wanted)


def _address(address: Resource) -> Address:
    if "pipe" in address:
        return Pipe(address["pipe"]["path"])
    return HostPort(address["socket_address"]["address"], address["socket_address"]["port_value"])
