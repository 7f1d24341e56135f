"""Step environment: requirements resolved to a lock, and the Python environment built from it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from loopwright import pins
from loopwright.catalog import Store
from loopwright.engines.base import Job
from loopwright.errors import StepFailed
from loopwright.loop.case import Case, Kept, Output, Services
from loopwright.loop.change import digest
from loopwright.loop.steps.base import JobStep, our_job, our_output
from loopwright.training import lock_file
from loopwright.training.wanted import gather, text_reader

_OURS = f"{sys.version_info.major}.{sys.version_info.minor}"  # where a change of before says nothing


class EnvironmentStep(JobStep):
    """Built once for each lock. The committed lock is used as it is; without one, what was once resolved is kept."""

    name = "environment"
    repeats = True  # the lock is on record

    def inputs(self, case: Case) -> dict[str, Any]:
        dependencies, change = case.spec.training.dependencies, case.change
        asked = change.dependencies
        # A requirements file that includes nothing is named by its content, as it was before there were other forms.
        alone = dependencies.requirements and len(asked.get("files", ("",))) == 1
        inputs = {
            "requirements": change.files[dependencies.file] if alone else asked["wanted"],
            "python": asked.get("python") or dependencies.python or _OURS,
            "platform": f"{sys.platform} {os.uname().machine}",
        }
        return inputs | ({"lock": asked["lock"]} if asked.get("lock") else {})

    def called(self, case: Case) -> dict[str, str]:
        return {
            "requirements": case.spec.training.dependencies.file,
            "python": "training.dependencies.python",
            "lock": lock_file.LOCK_FILE,
        }

    def available(self, output: Output, kept: Kept) -> bool:
        return kept.has_python(output["digest"])

    def job(self, case: Case, services: Services, job_id: str, folder: Path) -> Job:
        inputs = self.inputs(case)
        files, store = case.change.files, services.store
        wanted = gather(case.spec.training.dependencies, text_reader(files, lambda name: store.file(name)))
        given = {
            "wanted": wanted.texts(),
            "lines": [[line.text, line.file, line.line] for line in wanted.requirements],
            "lock": self._lock(case, store, digest(inputs)),
            "python_version": inputs["python"],
            "environments": str(services.state.environments),
        }
        return our_job(
            "loopwright.training.environment_job", self.name, case, job_id, folder, given, max_duration=3600.0
        )

    def _lock(self, case: Case, store: Store, inputs: str) -> str | None:
        committed = case.change.dependencies.get("lock")
        if committed:
            return lock_file.parse(store.file(committed).read_text()).body
        earlier = case.view.successes.get((case.change.workload, self.name, inputs))
        return store.file(earlier.body["output"]["lock"]).read_text() if earlier else None

    def result(self, case: Case, services: Services, job_id: str, folder: Path) -> dict[str, Any]:
        output = our_output(folder, self.name)
        lock = services.store.put_bytes(output.pop("lock").encode())
        return output | {"lock": lock, "committed": bool(case.change.dependencies.get("lock"))}

    def summary(self, output: Output) -> str:
        kept = "" if output.get("committed", True) else "; `loopwright lock` would pin it in the folder"
        return f"{output['packages']} packages, lock {output['digest'][:8]}{kept}"


def require_locked(case: Case, services: Services) -> None:
    """Nothing runs in an environment that somebody has installed something into."""
    environment = case.outputs["environment"]
    lock = services.store.file(environment["lock"]).read_text()
    refused = pins.refusal(lock, services.python(environment["digest"]).parent.parent)
    if refused:
        raise StepFailed(refused)
