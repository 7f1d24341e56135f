"""What served at a moment, and which version was approved last: asked of a ledger of years, which is not read whole."""

from __future__ import annotations

import time
from typing import Any

from loopwright.catalog import Store
from loopwright.errors import NotFoundError, UsageError
from loopwright.ledger import Ledger, Query
from loopwright.loop import lineage
from loopwright.operations import slices
from loopwright.operations.lineage import environment
from loopwright.operations.naming import pick
from loopwright.operations.sources import Records
from loopwright.operations.telling import told


def served_at(
    ledger: Ledger,
    store: Store | None,
    at: float | None = None,
    workload: str | None = None,
    where: str | None = None,
) -> list[dict[str, Any]]:
    """What served at a moment, by environment; None is now, whatever a clock that was set back says."""
    del store
    name = None if workload is None else pick(workload, _workloads(ledger), "workload")
    moment = _now(ledger) if at is None else at
    chronicle = slices.moment(ledger, moment, name)
    here = where
    if where is not None:
        known = [one for mine in chronicle.workloads for one in chronicle.environments(mine)]
        here = pick(where, known, "environment")
    return [_told(one) for one in lineage.served_at(chronicle, moment, name, here)]


def _told(one: lineage.Served) -> dict[str, Any]:
    """Without what else was made of the data: that is not looked up here."""
    answer: dict[str, Any] = told(one)
    if answer["data"] is not None:
        answer["data"] = {
            name: part for name, part in answer["data"].items() if name not in ("runs", "versions")
        }
    return answer


def _now(ledger: Ledger) -> float:
    newest = ledger.find(Query(newest_first=True, limit=1))
    return max([time.time(), *(fact.time for fact in newest)])


def newest_approved(
    ledger: Ledger, store: Store | None, workload: str | None = None, where: str | None = None
) -> dict[str, Any]:
    """Which is the newest approved version of a workload in an environment? Raises NotFoundError where there is none."""
    name = _only(ledger, workload)
    here = environment(Records(slices.outline(ledger, name), store), name, where)
    found = lineage.newest_approved(slices.approved(ledger, name, here), name, here)
    if found is None:
        raise NotFoundError(f"No version of {name} was ever approved for {here}.")
    answer: dict[str, Any] = told(found)
    return answer


def _workloads(ledger: Ledger) -> list[str]:
    return [name for name in ledger.distinct("workload") if name]


def _only(ledger: Ledger, workload: str | None) -> str:
    names = _workloads(ledger)
    if workload is not None:
        return pick(workload, names, "workload")
    if len(names) != 1:
        found = ", ".join(names) or "none yet"
        raise UsageError(f"Found {len(names)} workloads ({found}), expected the name of one.")
    return names[0]
