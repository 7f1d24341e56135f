"""The catalog: what exists. Files and folders by their content, a workload's folder as it was at one moment, and, over
MLflow, runs and model versions with their lineage.

Why: everything that a step reads or makes has a name that says exactly what it is, so that equal inputs are seen to be
equal, and nothing that was used can change afterwards.

What comes in: files, folders, what a run or a package is to be recorded with. What goes out: digests, read-only paths,
run ids and version numbers. Every call may be made again and then changes nothing.

`store` keeps content, with `known` (digests of unchanged files) and `copying`, and `looking` only names it; `snapshot` takes a workload's folder into it,
with `git` and `listing` (which files, commit, diff) and `patterns` (which of them a step sees); `tracking` talks to the
MLflow server, with `rest` (its HTTP) and `limits`. Importing this room imports no HTTP client; making a `Tracking` does.

May import: ledger, state, errors.
"""

from __future__ import annotations

from loopwright.catalog.looking import LookingStore
from loopwright.catalog.patterns import select, unmatched
from loopwright.catalog.snapshot import Snapshot, take_snapshot
from loopwright.catalog.store import Store
from loopwright.catalog.tracking import ModelVersion, Run, Tracking

__all__ = [
    "Store",
    "LookingStore",
    "Snapshot",
    "take_snapshot",
    "select",
    "unmatched",
    "Tracking",
    "Run",
    "ModelVersion",
]
