"""Data versions: what the data step found and kept, what it refused, and what was made of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from loopwright.ledger import Fact
from loopwright.loop.lineage.chronicle import Chronicle
from loopwright.loop.lineage.packages import made, version_numbers


@dataclass(frozen=True)
class DataVersion:
    """A source as it was read, checked and split."""

    workload: str
    name: str
    version: str  # digest of the source's content
    tree: str  # its two parts and its profile in the store; differs where the split or the schema does
    checked_at: float
    change: str
    asked_by: str
    source: str
    source_modified_at: float | None
    spec: str  # digest of loopwright.yaml in the store
    rows: int
    train_rows: int
    test_rows: int
    task: str
    label: dict[str, Any]
    columns: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]
    runs: tuple[str, ...]
    versions: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    """Data that did not pass."""

    workload: str
    version: str
    source: str
    refused_at: float
    change: str
    asked_by: str
    message: str


def data_versions(chronicle: Chronicle, workload: str) -> list[DataVersion]:
    """All data versions of a workload, in the order in which they were checked."""
    numbers = version_numbers(chronicle, workload)
    runs: dict[str, dict[str, None]] = {}
    versions: dict[str, dict[str, None]] = {}
    for package, fact in made(chronicle, workload).items():
        tree = fact.body["output"]["data"]
        runs.setdefault(tree, {})[fact.body["output"]["run"]] = None
        if package in numbers:
            versions.setdefault(tree, {})[numbers[package]] = None
    found: dict[str, DataVersion] = {}
    for fact in chronicle.steps.get((workload, "data"), []):
        tree = fact.body["output"]["tree"]
        found.setdefault(
            tree, _data(chronicle, fact, tuple(runs.get(tree, ())), tuple(versions.get(tree, ())))
        )
    return list(found.values())


def refusals(chronicle: Chronicle, workload: str) -> list[Refusal]:
    """What the data step refused, in order."""
    return [
        Refusal(
            workload=workload,
            version=source["content"],
            source=source["path"],
            refused_at=fact.time,
            change=change,
            asked_by=chronicle.actor(change),
            message=fact.body["message"],
        )
        for (change, step), fact in chronicle.failures.items()
        if step == "data" and fact.workload == workload
        for source in chronicle.change(change).get("sources", {}).values()
    ]


def _data(chronicle: Chronicle, fact: Fact, runs: tuple[str, ...], versions: tuple[str, ...]) -> DataVersion:
    output, change = fact.body["output"], chronicle.change(fact.body["change"])
    sources = change.get("sources", {})
    name = output.get("name") or next(iter(sources), "")
    source = sources.get(name, {})
    return DataVersion(
        workload=fact.workload,
        name=name,
        version=output["version"],
        tree=output["tree"],
        checked_at=fact.time,
        change=fact.body["change"],
        asked_by=chronicle.actor(fact.body["change"]),
        source=source.get("path", ""),
        source_modified_at=source.get("modified_at"),
        spec=change.get("spec", ""),
        rows=output["rows"],
        train_rows=output["train_rows"],
        test_rows=output["test_rows"],
        task=output.get("task", ""),
        label=output.get("label", {}),
        columns=tuple(output.get("columns", ())),
        warnings=tuple(output.get("warnings", ())),
        runs=runs,
        versions=versions,
    )
