"""Steps dev, prod and any other environment: the revision released there, and serving."""

from __future__ import annotations

from typing import Any

from loopwright.loop.case import Case, Output
from loopwright.loop.serving import replica_set_name, revision_of, revision_parts
from loopwright.loop.steps.base import ReleaseStep


class DeployStep(ReleaseStep):
    """Named as the environment; done while its revision is what serves there."""

    def __init__(self, environment: str, needs: tuple[str, ...]) -> None:
        self.environment = environment
        self.name = environment
        self.needs = needs

    def inputs(self, case: Case) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "revision": self.revision(case),
            "auth": case.spec.serving_in(self.environment).auth,
        }

    def called(self, case: Case) -> dict[str, str]:
        return {"auth": "serving.auth"}

    def details(self, case: Case) -> dict[str, Any]:
        return revision_parts(case, self.environment)

    def revision(self, case: Case) -> str:
        return revision_of(case, self.environment)

    def replica_set(self, case: Case) -> str:
        return replica_set_name(self.environment, case.change.workload, self.revision(case))

    def summary(self, output: Output) -> str:
        return f"{output['url']}"
