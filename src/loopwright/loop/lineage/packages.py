"""Packages: what was made, from which run and data, which versions it became, and where it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from loopwright.ledger import Fact
from loopwright.loop import compilation
from loopwright.loop.change import digest
from loopwright.loop.lineage.chronicle import Chronicle
from loopwright.loop.lineage.releases import Release, serving


@dataclass(frozen=True)
class Package:
    """One immutable deployable."""

    workload: str
    digest: str  # sha256:...
    size: int  # bytes
    made_at: float
    change: str
    version: str | None  # titanic:17; None where it was not registered
    run: str
    data_version: str
    lock: str
    commit: str | None  # of the run
    entry: str  # the scoring script; empty where a model answers without one
    model: str  # that model's file or folder
    compilation: str  # of such a model: what its compiled form rests on, or why there is none
    inputs: tuple[dict[str, Any], ...]  # columns
    example: dict[str, Any]  # request and response
    serves: tuple[str, ...]  # environments
    tree: str  # its files in the store


def packages(chronicle: Chronicle, workload: str) -> list[Package]:
    """All packages of a workload, in the order in which they were made; one made again counts once."""
    versions = version_numbers(chronicle, workload)
    where = serving(chronicle, workload)
    return [_package(workload, fact, versions, where) for fact in made(chronicle, workload).values()]


def made(chronicle: Chronicle, workload: str) -> dict[str, Fact]:
    """Package digest -> the first fact that says it was made."""
    found: dict[str, Fact] = {}
    for fact in chronicle.steps.get((workload, "package"), []):
        found.setdefault(fact.body["output"]["digest"], fact)
    return found


def registered(chronicle: Chronicle, workload: str) -> dict[str, Fact]:
    """Package digest -> the first fact that says it was registered as a model version."""
    by_inputs = {digest({"package": package}): package for package in made(chronicle, workload)}
    found: dict[str, Fact] = {}
    for fact in chronicle.steps.get((workload, "register"), []):
        package = fact.body["output"].get("package") or by_inputs.get(fact.body["inputs"])
        if package:
            found.setdefault(package, fact)
    return found


def version_numbers(chronicle: Chronicle, workload: str) -> dict[str, str]:
    """Package digest -> `titanic:17`."""
    return {
        package: f"{workload}:{fact.body['output']['version']}"
        for package, fact in registered(chronicle, workload).items()
    }


def _package(workload: str, fact: Fact, versions: dict[str, str], where: list[Release]) -> Package:
    output = fact.body["output"]
    return Package(
        workload=workload,
        digest=output["digest"],
        size=output["size"],
        made_at=fact.time,
        change=fact.body["change"],
        version=versions.get(output["digest"]),
        run=output["run"],
        data_version=output["data_version"],
        lock=output["environment"],
        commit=output.get("commit"),
        entry=output.get("entry", ""),
        model=(output.get("model") or {}).get("path", ""),
        compilation=compilation.told(output),
        inputs=tuple(output.get("columns", ())),
        example=output.get("example", {}),
        serves=tuple(release.environment for release in where if release.package == output["digest"]),
        tree=output["tree"],
    )
