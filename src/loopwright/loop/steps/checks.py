"""Steps functional and stress: what the deployed package must pass in the first environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loopwright.engines.base import Job
from loopwright.errors import Place, StepFailed
from loopwright.loop.case import Case, Output, Services
from loopwright.loop.keys import key_of_tests
from loopwright.loop.serving import revision_of, revision_parts
from loopwright.loop.steps.base import JobStep, our_job, our_output
from loopwright.spec import CasesFile, parse
from loopwright.spec.models import Stress

_MOST_BODIES = 200  # distinct held-out rows that a stress test sends in turn


def _target(case: Case, services: Services) -> dict[str, Any]:
    environment, workload = case.first_environment, case.change.workload
    key = key_of_tests(services.state, environment, workload)
    return {"url": services.engine.endpoint(environment, workload), "key": key}


class _CheckStep(JobStep):
    """Asks the endpoint of the first environment, and holds for what serves there."""

    def __init__(self, environment: str, after: str) -> None:
        self.asks = (environment,)
        self.needs = (after,)

    def inputs(self, case: Case) -> dict[str, Any]:
        return {
            "revision": revision_of(case, case.first_environment),
            "auth": case.spec.serving_in(case.first_environment).auth,
        }

    def called(self, case: Case) -> dict[str, str]:
        del case
        return {"auth": "serving.auth"}

    def details(self, case: Case) -> dict[str, Any]:
        return revision_parts(case, case.first_environment)


class FunctionalStep(_CheckStep):
    """Cases of request and expected response, sent through the gateway."""

    name = "functional"

    def __init__(self, file: str, environment: str, after: str) -> None:
        super().__init__(environment, after)
        self._file = file

    def inputs(self, case: Case) -> dict[str, Any]:
        return super().inputs(case) | {"cases": case.change.files[self._file]}

    def called(self, case: Case) -> dict[str, str]:
        return super().called(case) | {"cases": self._file}

    def job(self, case: Case, services: Services, job_id: str, folder: Path) -> Job:
        name = self._file
        cases = parse(CasesFile, services.store.file(case.change.files[name]), name)
        given = _target(case, services) | {
            "cases": cases.model_dump(mode="json", by_alias=True)["cases"],
            "file": name,
        }
        return our_job(
            "loopwright.evaluation.functional_job", self.name, case, job_id, folder, given, max_duration=600.0
        )

    def result(self, case: Case, services: Services, job_id: str, folder: Path) -> dict[str, Any]:
        output = our_output(folder, self.name)
        if not output["passed"]:
            failed = [(number, c) for number, c in enumerate(output["cases"]) if not c["passed"]]
            told = "".join(f"\n    {c['name']}: {'; '.join(c['reasons'])}" for _, c in failed)
            raise StepFailed(
                f"{len(failed)} of {len(output['cases'])} cases of {self._file} failed:{told}",
                [Place(f"cases.{number}.expect", self._file) for number, _ in failed],
            )
        return output

    def summary(self, output: Output) -> str:
        return f"{len(output['cases'])} cases pass"


class StressStep(_CheckStep):
    """Real concurrent load through the gateway, every answer counted."""

    name = "stress"

    def __init__(self, stress: Stress, environment: str, after: str) -> None:
        super().__init__(environment, after)
        self._stress = stress

    def inputs(self, case: Case) -> dict[str, Any]:
        own = {"data": case.outputs["data"]["tree"], "stress": self._stress.model_dump()}
        return super().inputs(case) | own

    def called(self, case: Case) -> dict[str, str]:
        return super().called(case) | {"stress": "tests.stress", "data": "data version"}

    def job(self, case: Case, services: Services, job_id: str, folder: Path) -> Job:
        data, limits = case.outputs["data"], case.spec.serving_in(case.first_environment).limits
        given = _target(case, services) | self._stress.model_dump()
        given |= {
            "timeout": limits.queue_wait + limits.timeout + 5.0,
            "data": str(services.store.tree(data["tree"]) / data["test"]),
            "label": data["label"]["name"],
            "columns": data["columns"],
            "missing_values": data["missing_values"],
            "most_bodies": _MOST_BODIES,
        }
        return our_job(
            "loopwright.evaluation.stress_job", self.name, case, job_id, folder, given, max_duration=1800.0
        )

    def result(self, case: Case, services: Services, job_id: str, folder: Path) -> dict[str, Any]:
        output = our_output(folder, self.name)
        if not output["passed"]:
            raise StepFailed(
                f"The stress test of {output['requests']} requests failed: {'; '.join(output['reasons'])}",
                [f"tests.stress.{name}" for name in output.get("broken", ())] or ["tests.stress"],
            )
        return output

    def summary(self, output: Output) -> str:
        latency = output["latency"]
        return (
            f"{output['requests']} requests, {output['failures']} failed, {output['throughput']:.0f}/s, "
            f"p50 {latency['p50'] * 1000:.0f} ms, p99 {latency['p99'] * 1000:.0f} ms"
        )
