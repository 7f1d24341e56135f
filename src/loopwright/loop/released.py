"""What a recorded release needs to be brought about again: the case of the change that made it, at the step of releasing.

Used by whatever works from releases and not from a change's own steps: upkeep, rollback, promotion.
"""

from __future__ import annotations

from loopwright.ledger import Fact
from loopwright.loop.case import Case
from loopwright.loop.view import View
from loopwright.spec.models import Workload


def released(view: View, release: Fact, spec: Workload) -> Case:
    """The case of a release, its revision as recorded; `spec` is that of the change which the release names.

    The revision's name is never worked out again: a newer version of Loopwright might give it another one.
    """
    body = release.body
    return Case(
        spec,
        view.changes[body["change"]],
        view,
        outputs={
            "package": body["package"],
            "register": {"version": body["version"], "model": release.workload},
        },
        revisions={body["environment"]: body["revision"]},
    )
