"""Transfers: a recorded release brought about again, in its own environment (a rollback) or in a later one (a promotion).

A transfer is asked for by one fact and carried out by the same controller as a change, with fewer steps: what a change
works out on its way to a release is on record here. So it survives a crash at any moment, as a change does.
"""

from __future__ import annotations

from dataclasses import replace

from loopwright.ledger import Fact
from loopwright.loop.case import Case
from loopwright.loop.change import Change
from loopwright.loop.released import released
from loopwright.loop.steps import Step
from loopwright.loop.steps.deploy import DeployStep
from loopwright.loop.steps.plan import entering
from loopwright.loop.view import View
from loopwright.spec.models import Workload


def origin(view: View, transfer: Fact) -> Fact:
    """The release that is brought about again."""
    release = view.mark("release.completed", transfer.body["release"])
    if release is None:
        raise LookupError(f"{transfer.key} names no release: {transfer.body['release']}")
    return release


def change_of(view: View, transfer: Fact) -> Change:
    """The change that the release came from, under the transfer's name and asked for by who asked for that."""
    made = view.proven(view.changes[origin(view, transfer).body["change"]])
    return replace(
        made,
        id=transfer.key,
        actor=transfer.actor,
        requested_at=transfer.time,
        auto_approve=False,
        cleans_up=False,
    )


def transfer_case(view: View, transfer: Fact, spec: Workload) -> tuple[Case, tuple[Step, ...]]:
    """What the controller is given for a transfer; `spec` is that of the change which the release came from."""
    case = released(view, origin(view, transfer), spec)
    case = replace(case, change=change_of(view, transfer), transfer=transfer)
    environment = transfer.body["environment"]
    if transfer.kind == "rollback.requested":
        return case, (DeployStep(environment, ()),)
    return replace(case, revisions={}), entering(spec, environment)
