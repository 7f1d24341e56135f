"""Step register: a model version with its lineage, once for each package."""

from __future__ import annotations

from typing import Any

from loopwright.loop.case import Case, Output, Services
from loopwright.loop.steps.base import CallStep


class RegisterStep(CallStep):
    """`titanic:17`."""

    name = "register"
    needs = ("evaluate",)

    def inputs(self, case: Case) -> dict[str, Any]:
        return {"package": case.outputs["package"]["digest"]}

    def call(self, case: Case, services: Services) -> dict[str, Any]:
        package, change, tracking = case.outputs["package"], case.change, services.tracking
        tracking.ensure_model(change.workload, {"owner": case.spec.owner}, case.spec.description)
        metrics = case.outputs["evaluate"]["metrics"]
        tags = {
            "loopwright.run": package["run"],
            "loopwright.data_version": package["data_version"],
            "loopwright.commit": package["commit"] or "none",
            "loopwright.lock": package["environment"],
            "loopwright.change": change.id,
        } | {
            f"metric.{name}": f"{value:.6g}"
            for name, value in metrics.items()
            if isinstance(value, int | float)
        }
        version = tracking.ensure_version(
            change.workload, package["digest"], package["run"], "model", tags, case.spec.description
        )
        return {"version": version, "model": change.workload, "package": package["digest"]}

    def summary(self, output: Output) -> str:
        return f"{output['model']}:{output['version']}"
