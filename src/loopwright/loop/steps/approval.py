"""Step approval: people's yes or no before a release."""

from __future__ import annotations

import re
from typing import Any

from loopwright.loop.case import Case, Output
from loopwright.loop.change import Change, digest
from loopwright.loop.serving import revision_of, revision_parts
from loopwright.loop.steps.base import ApprovalStep
from loopwright.loop.steps.deploy import DeployStep
from loopwright.release import Rule
from loopwright.spec.models import Workload

_AUTHOR = re.compile(r"(?P<name>[^<]*?) *(<(?P<mail>[^>]*)>)?")


class EnvironmentApprovalStep(ApprovalStep):
    """Holds for this revision in place of this release: another of either asks again."""

    def __init__(self, environment: str, name: str, needs: tuple[str, ...]) -> None:
        self.environment = environment
        self.name = name
        self.needs = needs

    def inputs(self, case: Case) -> dict[str, Any]:
        package = case.outputs["package"]["digest"]
        champion = case.view.champion(self.environment, case.change.workload, package)
        return {
            "environment": self.environment,
            "revision": revision_of(case, self.environment),
            "auth": case.spec.serving_in(self.environment).auth,
            "champion": champion.body["package"]["digest"] if champion else None,
            "replaces": champion.key if champion else None,
        }

    def called(self, case: Case) -> dict[str, str]:
        del case
        return {"auth": "serving.auth", "replaces": "the release to replace"}

    def details(self, case: Case) -> dict[str, Any]:
        return revision_parts(case, self.environment)

    def approval_id(self, case: Case) -> str:
        return f"{case.change.id}-{self.environment}"

    def rule(self, case: Case) -> Rule:
        return rule_of(case.spec, self.environment)

    def authors(self, case: Case) -> frozenset[str]:
        return authors_of(case)

    def wanted(self, case: Case) -> str:
        return digest(DeployStep(self.environment, ()).inputs(case))

    def summary(self, output: Output) -> str:
        comment = f": {output['comment']}" if output.get("comment") else ""
        how = "approved automatically, as asked by" if output.get("auto") else "approved by"
        return f"{how} {output['actor']}{comment}"


def rule_of(spec: Workload, environment: str) -> Rule:
    """Whose yes a release there needs."""
    approval = spec.environments[environment].approval
    return Rule(approval.count, approval.by or (), approval.not_author, approval.expires)


def authors_of(case: Case) -> frozenset[str]:
    """Who made a change, as far as names tell: the author's name, mail address, and what stands before its @, in lower
    case; and the user who asked for it."""
    change: Change | None = case.change
    if case.transfer is not None:
        release = case.view.mark("release.completed", case.transfer.body["release"])
        change = case.view.changes.get(release.body["change"]) if release else None
    if change is None:
        return frozenset()
    found = _AUTHOR.fullmatch(change.author.strip())
    name, mail = (found["name"], found["mail"] or "") if found else (change.author, "")
    names = (name, mail, mail.partition("@")[0], change.actor)
    return frozenset(one.lower() for one in names if one)
