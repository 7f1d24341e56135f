"""Releases: which version served in an environment from when until when, who asked for it, and who approved it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from loopwright.ledger import Fact
from loopwright.loop.lineage.approvals import Approval, of_package
from loopwright.loop.lineage.chronicle import US, Chronicle


@dataclass(frozen=True)
class Release:
    """One revision in one environment, from the moment when clients' requests went to it."""

    workload: str
    environment: str
    version: str  # titanic:17
    package: str
    revision: str
    since: float
    until: float | None  # None: it serves
    change: str
    by: str  # pipeline, or what a person did, such as rollback
    request: str  # the change, or the rollback that a person asked for
    asked_by: str
    comment: str  # of who asked for a rollback or a promotion
    approvals: tuple[Approval, ...]
    previous: str | None  # the version that served before
    commit: str | None
    url: str
    replica_set: str
    sequence: int  # of the release's fact

    @property
    def rollback(self) -> bool:
        return self.by == "rollback"


def releases(
    chronicle: Chronicle, workload: str | None = None, environment: str | None = None
) -> list[Release]:
    """All of them, in the order in which they came."""
    found = [
        _release(chronicle, pair, fact, until)
        for pair, facts in chronicle.releases.items()
        if workload in (None, pair[1]) and environment in (None, pair[0])
        for fact, until in _spans(facts, chronicle.withdrawn.get(pair, []))
    ]
    return sorted(found, key=lambda release: release.sequence)


def serving(chronicle: Chronicle, workload: str) -> list[Release]:
    """What serves by the record, of one workload."""
    return [release for release in releases(chronicle, workload) if release.until is None]


def _spans(facts: list[Fact], withdrawn: list[Fact]) -> list[tuple[Fact, float | None]]:
    """Each release with its end: the next release, or the moment when its route was taken away."""
    spans = []
    for fact, following in zip(facts, [*facts[1:], None], strict=True):
        beyond = following.sequence if following else math.inf
        gone = (one.time for one in withdrawn if fact.sequence < one.sequence < beyond)
        spans.append((fact, next(gone, following.time if following else None)))
    return spans


def _release(chronicle: Chronicle, pair: tuple[str, str], fact: Fact, until: float | None) -> Release:
    environment, workload = pair
    body, package = fact.body, fact.body["package"]["digest"]
    change, previous = body.get("change", ""), body.get("previous")
    by = body.get("by", "pipeline")
    asked = [
        one
        for one in of_package(chronicle, workload, package, fact.sequence)
        if one.environment == environment
    ]
    newest = asked[-1].id if asked else ""
    return Release(
        workload=workload,
        environment=environment,
        version=f"{workload}:{body['version']}",
        package=package,
        revision=body["revision"],
        since=fact.time,
        until=until,
        change=change,
        by=by,
        request=body.get("transfer") or change,
        asked_by=_asker(chronicle, fact, by),
        comment=body.get("comment", ""),
        approvals=tuple(one for one in asked if one.id == newest),
        previous=f"{workload}:{previous}" if previous is not None else None,
        commit=chronicle.change(change).get("commit"),
        url=body["url"],
        replica_set=body["replica_set"],
        sequence=fact.sequence,
    )


def _asker(chronicle: Chronicle, fact: Fact, by: str) -> str:
    if by != "pipeline" and fact.actor != US:
        return fact.actor
    return str(fact.body.get("asked_by") or chronicle.actor(fact.body.get("change", "")))
