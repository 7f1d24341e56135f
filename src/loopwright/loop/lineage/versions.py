"""Model versions with their lineage, and which of them is the newest that was approved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from loopwright.ledger import Fact
from loopwright.loop.lineage.approvals import Approval, granted, of_package
from loopwright.loop.lineage.chronicle import Chronicle
from loopwright.loop.lineage.evaluations import Evaluation, evaluations
from loopwright.loop.lineage.packages import made, registered
from loopwright.loop.lineage.releases import Release, releases, serving
from loopwright.loop.lineage.runs import Run, runs


@dataclass(frozen=True)
class Version:
    """`titanic:17`, and all that it was made from."""

    name: str
    workload: str
    version: int
    registered_at: float
    change: str
    asked_by: str
    author: str
    commit: str | None
    dirty: bool  # whether the change held more than its commit
    diff: str | None  # digest of what it held more, in the store
    run: str
    run_commit: str | None  # differs from `commit` where a change needed no training
    data_version: str
    rows: int | None
    lock: str
    package: str
    parameters: dict[str, Any]
    metrics: dict[str, float]  # of its evaluation on held-out rows
    gates: tuple[dict[str, Any], ...]
    aliases: tuple[str, ...]
    serves: tuple[Release, ...]
    approvals: tuple[Approval, ...]


@dataclass(frozen=True)
class NewestApproved:
    """The answer to "which is the newest approved version here?"."""

    version: str
    package: str
    environment: str
    approval: Approval | None  # None where the environment asks for none: then it is the newest released
    released_at: float | None  # None where it has not been released there yet
    serves: bool
    rolled_back: bool  # whether somebody went back from it


def versions(chronicle: Chronicle, workload: str) -> list[Version]:
    """All versions of a model, by number."""
    facts = registered(chronicle, workload)
    packages, judged = made(chronicle, workload), evaluations(chronicle, workload)
    by_run = {run.run: run for run in runs(chronicle, workload)}
    where, rows = serving(chronicle, workload), _rows(chronicle, workload)
    found: dict[int, Version] = {}
    for package, fact in facts.items():
        output = packages[package].body["output"] if package in packages else {}
        version = _version(
            chronicle, fact, package, output, by_run.get(output.get("run", "")), judged.get(package)
        )
        tree = output.get("data", "")
        found.setdefault(version.version, _placed(version, chronicle, where, rows.get(tree)))
    return [found[number] for number in sorted(found)]


def newest_approved(chronicle: Chronicle, workload: str, environment: str) -> NewestApproved | None:
    """The version whose approval there is the newest; where none was ever asked for there, the newest released."""
    there = releases(chronicle, workload, environment)
    asked = [fact for fact in chronicle.asked.get(workload, []) if fact.body["environment"] == environment]
    yes = [approval for approval in (granted(chronicle, fact) for fact in asked) if approval is not None]
    if asked and not yes:
        return None
    if not asked:
        return _answer(there[-1].version, there[-1].package, environment, None, there) if there else None
    newest = max(yes, key=lambda approval: approval.sequence)
    return _answer(f"{workload}:{newest.version}", newest.package, environment, newest, there)


def _answer(
    version: str, package: str, environment: str, approval: Approval | None, there: list[Release]
) -> NewestApproved:
    own = [release for release in there if release.package == package]
    return NewestApproved(
        version=version,
        package=package,
        environment=environment,
        approval=approval,
        released_at=own[-1].since if own else None,
        serves=bool(own) and own[-1].until is None,
        rolled_back=bool(own) and any(one.rollback and one.since == own[-1].until for one in there),
    )


def _rows(chronicle: Chronicle, workload: str) -> dict[str, int]:
    """Tree of a data step -> rows."""
    return {
        fact.body["output"]["tree"]: fact.body["output"]["rows"]
        for fact in chronicle.steps.get((workload, "data"), [])
    }


def _version(
    chronicle: Chronicle,
    fact: Fact,
    package: str,
    output: dict[str, Any],
    run: Run | None,
    judged: Evaluation | None,
) -> Version:
    change = chronicle.change(fact.body["change"])
    number = fact.body["output"]["version"]
    return Version(
        name=f"{fact.workload}:{number}",
        workload=fact.workload,
        version=number,
        registered_at=fact.time,
        change=fact.body["change"],
        asked_by=chronicle.actor(fact.body["change"]),
        author=change.get("author", ""),
        commit=change.get("commit"),
        dirty=bool(change.get("dirty")),
        diff=change.get("diff"),
        run=output.get("run", ""),
        run_commit=output.get("commit"),
        data_version=output.get("data_version", ""),
        rows=None,
        lock=output.get("environment", ""),
        package=package,
        parameters=(run.parameters or {}) if run else {},
        metrics=judged.metrics if judged else {},
        gates=judged.gates if judged else (),
        aliases=(),
        serves=(),
        approvals=tuple(of_package(chronicle, fact.workload, package)),
    )


def _placed(version: Version, chronicle: Chronicle, where: list[Release], rows: int | None) -> Version:
    aliases = tuple(
        environment
        for (environment, workload), fact in chronicle.aliases.items()
        if workload == version.workload and fact.body["version"] == version.version
    )
    serves = tuple(release for release in where if release.version == version.name)
    return replace(version, aliases=aliases, serves=serves, rows=rows)
