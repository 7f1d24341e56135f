"""Approvals: who said yes or no to a package in an environment, when, and with which words."""

from __future__ import annotations

from dataclasses import dataclass

from loopwright.ledger import Fact
from loopwright.loop.lineage.chronicle import Chronicle


@dataclass(frozen=True)
class Approval:
    """One decision."""

    id: str
    environment: str
    package: str
    version: int | None
    decision: str  # approve or reject
    by: str
    at: float
    comment: str
    automatic: bool  # asked for in advance with --auto-approve
    asked_at: float
    sequence: int  # of the decision's fact


def decisions(chronicle: Chronicle, asked: Fact) -> list[Approval]:
    """All that was decided of what was asked for, in order."""
    return [
        Approval(
            id=asked.key,
            environment=asked.body["environment"],
            package=asked.body.get("package", ""),
            version=asked.body.get("version"),
            decision=fact.body["decision"],
            by=fact.actor,
            at=fact.time,
            comment=fact.body.get("comment", ""),
            automatic=bool(fact.body.get("auto")),
            asked_at=asked.time,
            sequence=fact.sequence,
        )
        for fact in chronicle.decided.get(asked.key, [])
    ]


def of_package(
    chronicle: Chronicle, workload: str, package: str, before: int | None = None
) -> list[Approval]:
    """All decisions about a package, whatever the environment; with `before`, those that a fact's sequence follows."""
    asked_of = chronicle.asked_of.get((workload, package), [])
    found = [approval for asked in asked_of for approval in decisions(chronicle, asked)]
    return [one for one in found if before is None or one.sequence < before]


def granted(chronicle: Chronicle, asked: Fact) -> Approval | None:
    """The decision that let the release go ahead; None where it is open, rejected or void.

    The step's own success says that every rule of the environment was met. A yes that stands alone counts too where no
    more was asked for: the control plane may not have come to that step yet.
    """
    made = decisions(chronicle, asked)
    yes = [one for one in made if one.decision == "approve"]
    if not yes or len(yes) != len(made) or _void(chronicle, asked):
        return None
    names = (asked.key, asked.body["inputs"])
    settled = any((asked.workload, name) in chronicle.approved for name in names)
    enough = len({one.by for one in yes}) >= int(asked.body.get("count", 1))
    return yes[-1] if settled or enough else None


def _void(chronicle: Chronicle, asked: Fact) -> bool:
    """Whether an approval lost its force before a release made use of it."""
    void = chronicle.voided.get(asked.key)
    if void is None:
        return False
    released = chronicle.releases.get((asked.body["environment"], asked.workload), [])
    return not any(
        asked.sequence < fact.sequence < void.sequence
        and fact.body["package"]["digest"] == asked.body["package"]
        for fact in released
    )
