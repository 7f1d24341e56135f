"""Step approval: a person's yes or no before a release."""

from __future__ import annotations

from typing import Any

from loopwright.loop.case import Case, Output
from loopwright.loop.serving import revision_of, revision_parts
from loopwright.loop.steps.base import ApprovalStep


class EnvironmentApprovalStep(ApprovalStep):
    """Holds for this revision against this champion: another of either asks again."""

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
            "champion": champion.body["package"]["digest"] if champion else None,
        }

    def details(self, case: Case) -> dict[str, Any]:
        return revision_parts(case, self.environment)

    def approval_id(self, case: Case) -> str:
        return f"{case.change.id}-{self.environment}"

    def summary(self, output: Output) -> str:
        comment = f": {output['comment']}" if output.get("comment") else ""
        how = "approved automatically, as asked by" if output.get("auto") else "approved by"
        return f"{how} {output['actor']}{comment}"
