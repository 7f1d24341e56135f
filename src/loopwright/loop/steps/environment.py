"""Step environment: requirements resolved to a lock, and the Python environment built from it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from loopwright.catalog import Store
from loopwright.engines.base import Job
from loopwright.loop.case import Case, Output, Services
from loopwright.loop.change import digest
from loopwright.loop.steps.base import JobStep, our_job, our_output


class EnvironmentStep(JobStep):
    """Built once for each lock; a lock once resolved is kept, so the same requirements give the same environment."""

    name = "environment"

    def inputs(self, case: Case) -> dict[str, Any]:
        dependencies = case.spec.training.dependencies
        return {
            "requirements": case.change.files[dependencies.requirements],
            "python": dependencies.python or f"{sys.version_info.major}.{sys.version_info.minor}",
            "platform": f"{sys.platform} {os.uname().machine}",
        }

    def available(self, output: Output, store: Store) -> bool:
        del store
        return (Path(output["python"]).parent.parent / "complete").exists()

    def job(self, case: Case, services: Services, job_id: str, folder: Path) -> Job:
        inputs = self.inputs(case)
        earlier = case.view.successes.get((case.change.workload, self.name, digest(inputs)))
        given = {
            "requirements": services.store.file(inputs["requirements"]).read_text(),
            "file": case.spec.training.dependencies.requirements,
            "lock": services.store.file(earlier.body["output"]["lock"]).read_text() if earlier else None,
            "python_version": inputs["python"],
            "environments": str(services.state.environments),
        }
        return our_job(
            "loopwright.training.environment_job", self.name, case, job_id, folder, given, max_duration=3600.0
        )

    def result(self, case: Case, services: Services, job_id: str, folder: Path) -> dict[str, Any]:
        output = our_output(folder, self.name)
        lock = services.store.put_bytes(output.pop("lock").encode())
        return output | {"lock": lock}

    def summary(self, output: Output) -> str:
        return f"{output['packages']} packages, lock {output['digest'][:8]}"
