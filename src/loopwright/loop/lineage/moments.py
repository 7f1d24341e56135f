"""What served at a moment: the version, its approvals, and the data, commit and run that it came from."""

from __future__ import annotations

from dataclasses import dataclass

from loopwright.loop.lineage.chronicle import Chronicle
from loopwright.loop.lineage.data import DataVersion, data_versions
from loopwright.loop.lineage.packages import made
from loopwright.loop.lineage.releases import Release, releases
from loopwright.loop.lineage.versions import Version, versions


@dataclass(frozen=True)
class Served:
    """One environment of one workload at a moment."""

    workload: str
    environment: str
    at: float
    serving: bool
    reason: str  # why nothing served; empty where something did
    release: Release | None  # where all was brought down, the release that the record held all the same
    version: Version | None
    data: DataVersion | None


@dataclass(frozen=True)
class _Known:
    """What is looked up for every environment of a workload."""

    versions: dict[str, Version]  # by name
    data: dict[str, DataVersion]  # by package


def served_at(
    chronicle: Chronicle, at: float, workload: str | None = None, environment: str | None = None
) -> list[Served]:
    """What served then, for each workload and environment that a release is known of, even a later one."""
    found: list[Served] = []
    for name in chronicle.workloads:
        if workload in (None, name):
            known = _known(chronicle, name)
            there = [one for one in chronicle.environments(name) if environment in (None, one)]
            found += [_served(chronicle, at, name, one, known) for one in there]
    return found


def _known(chronicle: Chronicle, workload: str) -> _Known:
    trees = {one.tree: one for one in data_versions(chronicle, workload)}
    packages = {
        package: trees[fact.body["output"]["data"]]
        for package, fact in made(chronicle, workload).items()
        if fact.body["output"]["data"] in trees
    }
    return _Known({one.name: one for one in versions(chronicle, workload)}, packages)


def _served(chronicle: Chronicle, at: float, workload: str, environment: str, known: _Known) -> Served:
    all_ = releases(chronicle, workload, environment)
    # The last that was recorded by then: a clock that was set back must not make two of them serve, or none.
    release = next((one for one in reversed(all_) if one.since <= at), None)
    if release is None or (release.until is not None and release.until <= at):
        return Served(workload, environment, at, False, _reason(all_, at), None, None, None)
    stopped = _stopped(chronicle, at)
    version, data = known.versions.get(release.version), known.data.get(release.package)
    return Served(workload, environment, at, not stopped, stopped, release, version, data)


def _stopped(chronicle: Chronicle, at: float) -> str:
    """Whether all was brought down then; a control plane that only died leaves replicas and gateway serving."""
    lives = [fact for fact in chronicle.lives if fact.time <= at]
    if not lives or lives[-1].kind != "state.stopped":
        return ""
    return f"all had been brought down by {lives[-1].actor}"


def _reason(known: list[Release], at: float) -> str:
    before = [one for one in known if one.since <= at]
    if before:
        return f"{before[-1].version} had been taken away"
    return "nothing had been released there yet" if known else "nothing was ever released there"
