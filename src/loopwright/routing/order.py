"""In which order files may be written so that no request falls between two of them.

A route must never name a cluster that an Envoy does not have yet, and a cluster must not go while a route still names it.
So: members first, then added clusters; once every Envoy has accepted and warmed those, the routes; once every Envoy
has accepted these, the clusters that are no longer used go. All state is in the files and in what the Envoys report,
so that whoever writes may be killed after any step: the next look computes the same next step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from loopwright.routing import resources
from loopwright.routing.clusters import clusters_in
from loopwright.routing.resources import Resource, version_of
from loopwright.routing.routes import clusters_routed

Standing = Literal["accepted", "waiting"]


@dataclass(frozen=True)
class Files:
    """Resource files: those wanted, those that lie in the folder, or those to be replaced (None: as it is).

    `members` has one file per cluster; in changes to be made, None means that the file is to be removed.
    """

    clusters: Resource | None = None
    routes: Resource | None = None
    members: Mapping[str, Resource | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.clusters is not None or self.routes is not None or bool(self.members)


@dataclass(frozen=True)
class Acknowledgement:
    """The newest versions that one running Envoy has accepted, empty where it has none or does not answer."""

    clusters: str = ""
    routes: str = ""
    warming: int = 0  # clusters accepted and not ready yet


def next_files(wanted: Files, written: Files, acknowledged: Sequence[Acknowledgement]) -> Files:
    """What may be replaced now; nothing where all is as wanted, or an Envoy has first to accept what is written.

    `acknowledged` has one entry for each running Envoy. With none running there is nobody to wait for: an Envoy that
    starts reads clusters before routes.
    """
    target = _clusters(wanted, written, acknowledged)
    members = _members(wanted, written, target, acknowledged)
    if written.clusters is None or version_of(written.clusters) != version_of(target):
        return Files(clusters=target, members=members)
    ready = all(one.clusters == version_of(target) and not one.warming for one in acknowledged)
    if ready and not _same(wanted.routes, written.routes):
        return Files(routes=wanted.routes, members=members)
    return Files(members=members)


def standing(wanted: Files, written: Files, acknowledged: Sequence[Acknowledgement]) -> Standing:
    """Whether the wanted routes and their clusters are served by every one of these Envoys, of which there is one."""
    served = (
        bool(acknowledged)
        and _same(wanted.routes, written.routes)
        and _holds(written.clusters, wanted.clusters)
        and all(_serves(one, written) for one in acknowledged)
    )
    return "accepted" if served else "waiting"


def _clusters(wanted: Files, written: Files, acknowledged: Sequence[Acknowledgement]) -> Resource:
    """The wanted clusters, and those that a route may still lead to."""
    new, old = clusters_in(wanted.clusters), clusters_in(written.clusters)
    routed = clusters_routed(written.routes)
    settled = _same(wanted.routes, written.routes) and all(
        _routes_accepted(one, written) for one in acknowledged
    )
    kept = {
        name: cluster for name, cluster in old.items() if name not in new and (name in routed or not settled)
    }
    every = new | kept
    return resources.clusters([every[name] for name in sorted(every)])


def _members(
    wanted: Files, written: Files, target: Resource, acknowledged: Sequence[Acknowledgement]
) -> dict[str, Resource | None]:
    changed: dict[str, Resource | None] = {
        name: members
        for name, members in wanted.members.items()
        if not _same(members, written.members.get(name))
    }
    gone = _same(written.clusters, target) and all(one.clusters == version_of(target) for one in acknowledged)
    if gone:  # an Envoy that still had the cluster would miss its file
        used = clusters_in(target).keys() | wanted.members.keys()
        changed |= {name: None for name in written.members if name not in used}
    return changed


def _serves(one: Acknowledgement, written: Files) -> bool:
    clusters = written.clusters is not None and one.clusters == version_of(written.clusters)
    return clusters and not one.warming and _routes_accepted(one, written)


def _routes_accepted(one: Acknowledgement, written: Files) -> bool:
    return written.routes is not None and one.routes == version_of(written.routes)


def _holds(written: Resource | None, wanted: Resource | None) -> bool:
    present = clusters_in(written)
    return all(present.get(name) == cluster for name, cluster in clusters_in(wanted).items())


def _same(one: Resource | None, other: Resource | None) -> bool:
    if one is None or other is None:
        return one is other
    return version_of(one) == version_of(other)
