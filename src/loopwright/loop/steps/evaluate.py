"""Step evaluate: the package's own replica answers the held-out rows, and gates decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loopwright.engines.base import Job
from loopwright.errors import Place, StepFailed
from loopwright.loop.case import Case, Output, Services
from loopwright.loop.change import digest
from loopwright.loop.serving import probability_in, settings_of
from loopwright.loop.steps.base import JobStep, our_job, our_output
from loopwright.loop.variables import first_variables, seen


class EvaluateStep(JobStep):
    """Judged as it will serve, against the version that serves now."""

    name = "evaluate"
    needs = ("package",)

    def inputs(self, case: Case) -> dict[str, Any]:
        package = case.outputs["package"]
        champion = case.view.champion(case.last_environment, case.change.workload, package["digest"])
        return {
            "package": package["digest"],
            "data": case.outputs["data"]["tree"],
            "evaluation": case.spec.evaluation.model_dump(),
            "champion": champion.body["package"]["digest"] if champion else None,
        } | seen(first_variables(case.spec, case.change))

    def called(self, case: Case) -> dict[str, str]:
        return {"data": "data version"}

    def job(self, case: Case, services: Services, job_id: str, folder: Path) -> Job:
        package, data, evaluation = case.outputs["package"], case.outputs["data"], case.spec.evaluation
        test = services.store.tree(data["tree"])
        variables = first_variables(case.spec, case.change)
        given = {
            "package": str(services.store.tree(package["tree"])),
            "python": str(services.python(package["environment"])),
            "data": str(test / data["test"]),
            "train": str(test / data["train"]),
            "label": data["label"]["name"],
            "columns": data["columns"],
            "missing_values": data["missing_values"],
            "prediction": evaluation.prediction,
            "probability": probability_in(case.spec, package),
            "model": (package.get("model") or {}).get("path"),
            "task": evaluation.task or data["task"],
            "positive": evaluation.positive,
            "gates": [gate.model_dump() for gate in evaluation.gates],
            "champion": self._champion(case, services),
            "serving": settings_of(
                case, services, "evaluation", package["digest"], case.spec.serving, variables
            ),
        }
        return our_job(
            "loopwright.evaluation.job",
            self.name,
            case,
            job_id,
            folder,
            given,
            variables=variables,
            max_duration=3600.0,
        )

    def _champion(self, case: Case, services: Services) -> dict[str, Any] | None:
        fact = case.view.champion(
            case.last_environment, case.change.workload, case.outputs["package"]["digest"]
        )
        if fact is None:
            return None
        package = fact.body["package"]
        return {
            "name": f"{case.change.workload}:{fact.body['version']}",
            "package": str(services.store.tree(package["tree"])),
            "python": str(services.python(package["environment"])),
            "train": str(services.store.tree(package["data"]) / package["train"]),
            "prediction": package["prediction"],
            "probability": package["probability"],
            "model": (package.get("model") or {}).get("path"),
        }

    def result(self, case: Case, services: Services, job_id: str, folder: Path) -> dict[str, Any]:
        output = our_output(folder, self.name)
        run = case.outputs["package"]["run"]
        services.tracking.log_metrics(
            run,
            {
                f"evaluation.{name}": value
                for name, value in output["metrics"].items()
                if isinstance(value, int | float)
            },
        )
        for file in sorted((folder / "outputs").iterdir()):
            services.tracking.log_artifact(
                run, file, f"evaluation/{digest(self.inputs(case))[:12]}/{file.name}"
            )
        if not output["passed"]:
            failed = [gate for gate in output["gates"] if not gate["passed"]]
            reasons = "".join(
                f"\n    {told}" for told in [*(gate["reason"] for gate in failed), *_warned(output)]
            )
            raise StepFailed(
                f"{len(failed)} of {len(output['gates'])} gates failed on {output['rows']} held-out rows:{reasons}",
                [gate.get("at") or "evaluation.gates" for gate in failed],
            )
        return output | {"package": case.outputs["package"]["digest"], "run": run}

    def rests_on(self, case: Case) -> tuple[Place | str, ...]:
        return (case.spec.serving.place,)

    def summary(self, output: Output) -> str:
        metrics = {name: value for name, value in output["metrics"].items() if isinstance(value, int | float)}
        first = next((f"{name} {value:.3f} " for name, value in metrics.items()), "")
        told = f"{first}on {output['rows']} held-out rows; {len(output['gates'])} gates hold"
        return "\n".join([told, *(f"gate: {gate['reason']}" for gate in output["gates"]), *_warned(output)])


def _warned(output: Output) -> list[str]:
    return [
        f"warning: {warning}" for warning in output.get("warnings", ())
    ]  # which results of 0.3 do not have
