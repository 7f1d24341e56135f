"""Evaluations: how a package was judged, joined to it by what the facts say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from loopwright.ledger import Fact
from loopwright.loop.lineage.chronicle import Chronicle
from loopwright.loop.lineage.packages import registered


@dataclass(frozen=True)
class Evaluation:
    """One judgement on held-out rows."""

    metrics: dict[str, float]
    gates: tuple[dict[str, Any], ...]
    rows: int
    champion: Any  # what it was compared with
    at: float


def evaluations(chronicle: Chronicle, workload: str) -> dict[str, Evaluation]:
    """Package digest -> its newest evaluation that passed."""
    by_change = _packages_of_changes(chronicle, workload)
    found = {}
    for fact in chronicle.steps.get((workload, "evaluate"), []):
        package = fact.body["output"].get("package") or by_change.get(fact.body["change"])
        if package:
            found[package] = _evaluation(fact)
    return found


def _packages_of_changes(chronicle: Chronicle, workload: str) -> dict[str, str]:
    """Change id -> package digest, for facts that do not name their package: what the same change made or registered."""
    found: dict[str, str] = {}
    for package, fact in registered(chronicle, workload).items():
        found.setdefault(fact.body["change"], package)
    for fact in chronicle.steps.get((workload, "package"), []):
        found[fact.body["change"]] = fact.body["output"]["digest"]
    return found


def _evaluation(fact: Fact) -> Evaluation:
    output = fact.body["output"]
    return Evaluation(
        metrics={
            name: value
            for name, value in output.get("metrics", {}).items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        },
        gates=tuple(output.get("gates", ())),
        rows=output.get("rows", 0),
        champion=output.get("champion"),
        at=fact.time,
    )
