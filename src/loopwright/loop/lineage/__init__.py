"""Lineage: what the facts say of what was made, of what it was made from, and of what served when.

Why: "which version was in production then, approved by whom, trained on which data" is asked by people who were not
there, months later, with or without a control plane. Everything here is a pure function of facts, so the answer is the
same for each of them. What comes in: a `Chronicle`, the facts by what they are about. What goes out: frozen values, times
in seconds since the epoch. Old facts lack what newer ones record; what can be found by the digests that join facts is,
and the rest is None or empty.

`chronicle` sorts the facts, then one file for each thing asked about. Called by `operations.lineage`.
"""

from loopwright.loop.lineage.approvals import Approval
from loopwright.loop.lineage.chronicle import Chronicle
from loopwright.loop.lineage.data import DataVersion, Refusal, data_versions, refusals
from loopwright.loop.lineage.moments import Served, served_at
from loopwright.loop.lineage.packages import Package, packages
from loopwright.loop.lineage.releases import Release, releases
from loopwright.loop.lineage.runs import Run, runs
from loopwright.loop.lineage.versions import NewestApproved, Version, newest_approved, versions

__all__ = [
    "Approval",
    "Chronicle",
    "DataVersion",
    "NewestApproved",
    "Package",
    "Refusal",
    "Release",
    "Run",
    "Served",
    "Version",
    "data_versions",
    "newest_approved",
    "packages",
    "refusals",
    "releases",
    "runs",
    "served_at",
    "versions",
]
