"""Steps of `pipeline.tasks`: commands of one's own, each a job, with the artifacts that they hand on."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loopwright.catalog import Store, select, unmatched
from loopwright.engines.base import Job, JobStatus
from loopwright.errors import StepFailed
from loopwright.loop.case import Case, Kept, Output, Services
from loopwright.loop.change import digest
from loopwright.loop.files import task_files
from loopwright.loop.keys import endpoint_key
from loopwright.loop.places import in_scripts
from loopwright.loop.serving import revision_of
from loopwright.loop.steps.base import JobStep, Step, last_lines, log_end
from loopwright.loop.steps.environment import require_locked
from loopwright.loop.variables import placeholders_of, seen, training_variables
from loopwright.spec.outline import placeholders
from loopwright.spec.pipeline import Task
from loopwright.spec.tasks import artifact_tasks
from loopwright.state import replace_file
from loopwright.training import render, user_environment


class TaskStep(JobStep):
    """One run of a task: of a task with a matrix there is one for each combination of values."""

    own = True

    def __init__(
        self,
        task: Task,
        at: str,
        name: str,
        matrix: Mapping[str, str],
        needs: tuple[str, ...],
        follows: tuple[Step, ...],
        sources: Mapping[str, tuple[str, ...]],
    ) -> None:
        """`at` is where the spec has the task. `follows` are the steps whose inputs its own depend on; `sources` the runs of each task whose artifacts it reads."""
        self.name, self.needs, self.always = name, needs, task.always
        self.each_change = task.always or not task.cache
        self.attempts, self.delay = task.retry.attempts, task.retry.delay
        self._task, self._at, self._matrix = task, at, matrix
        self._follows, self._sources = follows, sources
        self._named = placeholders(task.command)
        self.asks = tuple(dict.fromkeys(self._endpoints()))

    def inputs(self, case: Case) -> dict[str, Any]:
        task, outputs = self._task, case.outputs
        inputs: dict[str, Any] = {
            "command": task.command,
            "matrix": dict(self._matrix),
            "files": dict(task_files(case.spec, case.change, task)),
            "artifacts": {run: outputs[run]["artifacts"] for runs in self._sources.values() for run in runs},
            "in": list(task.artifacts.needed),
            "out": list(task.artifacts.out),
            "cpu": task.cpu,
            "follows": [digest(step.inputs(case)) for step in self._follows],
            "endpoints": [revision_of(case, environment) for environment in self.asks],
        } | seen(training_variables(case.spec, case.change))
        if task.environment == "workload" and not task.always:
            inputs["environment"] = outputs["environment"]["digest"]
        if any(name.startswith("data.") for name in self._named):
            inputs["data"] = outputs["data"]["tree"]
        if "model" in self._named:
            inputs["model"] = outputs["train"]["model"]
        if self.each_change:
            inputs["change"] = case.change.id
        return inputs

    def called(self, case: Case) -> dict[str, str]:
        del case
        names = {"files": "", "environment": "Python environment", "data": "data version"}
        names |= {name: f"{self._at}.{name}" for name in ("command", "matrix", "cpu")}
        names |= {name: f"{self._at}.artifacts.{name}" for name in ("in", "out")}
        return names | {f"follows.{n}": f"inputs of {step.name}" for n, step in enumerate(self._follows)}

    def available(self, output: Output, kept: Kept) -> bool:
        return output["artifacts"] is None or kept.store.has_tree(output["artifacts"])

    def job(self, case: Case, services: Services, job_id: str, folder: Path) -> Job:
        task, workspace, outputs = self._task, folder / "workspace", folder / "outputs"
        services.store.checkout(task_files(case.spec, case.change, task), workspace)
        outputs.mkdir(exist_ok=True)
        own = training_variables(case.spec, case.change)
        values = self._values(case, services, folder) | placeholders_of(own)
        variables = user_environment(self._python(case, services), task.cpu) | {
            "MLFLOW_TRACKING_URI": services.tracking.url,
            "LOOPWRIGHT_WORKLOAD": case.change.workload,
            "LOOPWRIGHT_CHANGE": case.change.id,
            "LOOPWRIGHT_TASK": self.name,
        }
        if self.always:
            variables["LOOPWRIGHT_OUTCOME"] = case.view.outcome(case.change.id)
        return Job(
            id=job_id,
            workload=case.change.workload,
            step=self.name,
            command=render(task.command, values, f"{self._at}.command"),
            directory=str(folder),
            working_directory=str(workspace),
            variables=own | variables,
            max_duration=task.timeout,
            memory=task.memory,
        )

    def result(self, case: Case, services: Services, job_id: str, folder: Path) -> dict[str, Any]:
        outputs, workspace = folder / "outputs", folder / "workspace"
        if not self._keeps:
            return {"artifacts": None, "files": 0}
        for path in self._task.artifacts.out:
            self._keep(workspace / path, outputs / path, path)
        tree = services.store.put_tree(outputs)
        return {"artifacts": tree, "files": len(services.store.listing(tree))}

    def failed(
        self, case: Case, services: Services, job_id: str, folder: Path, status: JobStatus
    ) -> StepFailed:
        del job_id, services
        task, log = self._task, folder / "log.txt"
        ways = {
            "max_duration": (f"ran longer than its timeout ({task.timeout:g} s) and was ended", "timeout"),
            "memory": (f"used more than its memory ({task.memory} bytes) and was ended", "memory"),
            "start": ("cannot be started", "command"),
            "exit": (f"ended with exit status {status.exit_code}", "command"),
        }
        how, field = ways.get(status.reason, (f"failed ({status.reason or 'unknown'})", "command"))
        raised = in_scripts(log_end(log), case.change.files) if field == "command" else ()
        message = f"The task {self.name} {how}.{last_lines(log)}"
        return StepFailed(message, raised or [f"{self._at}.{field}"])

    def summary(self, output: Output) -> str:
        files = output["files"]
        return f"{files} file{'' if files == 1 else 's'} kept" if self._keeps else ""

    @property
    def _keeps(self) -> bool:
        return bool(self._task.artifacts.out) or "outputs" in self._named

    def _endpoints(self) -> list[str]:
        parts = [name.split(".") for name in self._named]
        return [part[1] for part in parts if part[0] == "endpoint"]

    def _python(self, case: Case, services: Services) -> Path:
        """A clean-up runs also where the environment was never built: then with our own Python."""
        built = case.outputs.get("environment")
        if self._task.environment == "none" or built is None:
            return Path(sys.executable)
        require_locked(case, services)
        return services.python(built["digest"])

    def _values(self, case: Case, services: Services, folder: Path) -> dict[str, str]:
        """The placeholders that the command names, filled in."""
        values = {"outputs": str(folder / "outputs")}
        values |= {f"matrix.{variable}": value for variable, value in self._matrix.items()}
        for source in artifact_tasks(self._task):
            values[f"artifacts.{source}"] = str(self._artifacts(case, services.store, folder, source))
        if any(name.startswith("data.") for name in self._named):
            data = case.outputs["data"]
            values[f"data.{case.data_name}.train"] = str(services.store.tree(data["tree"]) / data["train"])
        if "model" in self._named:
            values["model"] = str(services.store.tree(case.outputs["train"]["model"]))
        for environment in self.asks:
            values[f"endpoint.{environment}"] = services.engine.endpoint(environment, case.change.workload)
            values[f"endpoint.{environment}.key"] = str(self._key(case, services, folder, environment))
        return values

    def _key(self, case: Case, services: Services, folder: Path, environment: str) -> Path:
        """A file with the endpoint's key: in a command or variable, other programs of this machine could read it."""
        path = folder / f"{environment}.key"
        with_key = case.spec.serving.auth == "key"
        key = endpoint_key(services.state, environment, case.change.workload) if with_key else ""
        replace_file(path, key.encode())
        path.chmod(0o600)
        return path

    def _artifacts(self, case: Case, store: Store, folder: Path, source: str) -> Path:
        """The folder with what this task is handed of another's artifacts."""
        needed, runs = self._task.artifacts.needed, self._sources[source]
        paths = [path.partition("/")[2] for path in needed if path.partition("/")[0] == source]
        if runs == (source,) and "" in paths:
            return store.tree(case.outputs[source]["artifacts"])
        handed: dict[str, str] = {}
        for run in runs:
            files = store.listing(case.outputs[run]["artifacts"])
            lacking = unmatched(files, [path for path in paths if path])
            if lacking:
                raise StepFailed(
                    f"The task {self.name} asks for {source}/{lacking[0]}, which is not among what {run} kept: {', '.join(files) or 'nothing'}.",
                    [f"{self._at}.artifacts.in"],
                )
            chosen = files if "" in paths else select(files, paths)
            handed |= {path if runs == (source,) else f"{run}/{path}": name for path, name in chosen.items()}
        target = folder / "artifacts" / source
        store.checkout(handed, target)
        return target

    def _keep(self, left: Path, target: Path, path: str) -> None:
        if not left.exists():
            raise StepFailed(
                f"The task {self.name} left no {path} where it ran, expected by its artifacts.out.",
                [f"{self._at}.artifacts.out"],
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        if left.is_dir():
            shutil.copytree(left, target, dirs_exist_ok=True, symlinks=True)
        else:
            shutil.copyfile(left, target)
            shutil.copymode(left, target)
