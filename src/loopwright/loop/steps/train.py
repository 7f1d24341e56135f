"""Step train: the user's command, run in its own environment and recorded as an MLflow run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loopwright.catalog import Store
from loopwright.engines.base import Job, JobStatus
from loopwright.errors import StepFailed
from loopwright.loop.case import Case, Kept, Output, Services
from loopwright.loop.files import training_files
from loopwright.loop.places import in_scripts
from loopwright.loop.steps.base import JobStep, last_lines, log_end
from loopwright.loop.steps.environment import require_locked
from loopwright.loop.variables import placeholders_of, seen, training_variables
from loopwright.spec.compute import Compute
from loopwright.training import on_nodes, parameters, render, user_environment, visible_devices

_MOST_KEPT = 200  # parameters, and metrics, of a run that its fact repeats; the tracking server has them all
RANKS = "ranks"  # the folder with the log of each node, in a job's folder
_LONGEST_KEPT = 500  # characters of a parameter's value


class TrainStep(JobStep):
    """A run."""

    name = "train"
    needs = ("environment", "data")

    def inputs(self, case: Case) -> dict[str, Any]:
        return (
            {
                "command": case.spec.training.command,
                "files": dict(training_files(case.spec, case.change)),
                "environment": case.outputs["environment"]["digest"],
                "data": case.outputs["data"]["tree"],
                "nodes": case.spec.training.compute.nodes,
                "cpu": case.spec.training.compute.cpu,
            }
            | seen(training_variables(case.spec, case.change))
            | ({"gpu": case.spec.training.compute.gpu} if case.spec.training.compute.gpu else {})
        )

    def called(self, case: Case) -> dict[str, str]:
        return {
            "command": "training.command",
            "files": "",
            "environment": "Python environment",
            "data": "data version",
            "nodes": "training.compute.nodes",
            "cpu": "training.compute.cpu",
        }

    def fresh(self, case: Case, earlier: Sequence[Output], store: Store) -> frozenset[str]:
        del case, earlier, store
        return frozenset({"run"})

    def available(self, output: Output, kept: Kept) -> bool:
        return kept.store.has_tree(output["model"])

    def job(self, case: Case, services: Services, job_id: str, folder: Path) -> Job:
        compute = case.spec.training.compute
        require_locked(case, services)
        run = self._run(case, services, job_id)
        workspace, outputs = folder / "workspace", folder / "outputs"
        services.store.checkout(training_files(case.spec, case.change), workspace)
        outputs.mkdir(exist_ok=True)
        data = case.outputs["data"]
        values = {
            f"data.{case.data_name}.train": str(services.store.tree(data["tree"]) / data["train"]),
            "outputs": str(outputs),
        }
        own = training_variables(case.spec, case.change)
        variables = user_environment(services.python(case.outputs["environment"]["digest"]), compute.cpu)
        return Job(
            id=job_id,
            workload=case.change.workload,
            step=self.name,
            command=_command(
                render(case.spec.training.command, values | placeholders_of(own)),
                compute,
                case.change.id,
                folder,
            ),
            directory=str(folder),
            working_directory=str(workspace),
            variables=own
            | variables
            | visible_devices(compute.gpu)
            | {"MLFLOW_TRACKING_URI": services.tracking.url, "MLFLOW_RUN_ID": run},
            max_duration=compute.max_duration,
            memory=compute.memory * compute.nodes if compute.memory is not None else None,
        )

    def _run(self, case: Case, services: Services, job_id: str) -> str:
        """The MLflow run of this job, made at the first call."""
        known = services.book.view.mark("run.created", job_id)
        if known is not None:
            return str(known.body["run"])
        change = case.change
        experiment = services.tracking.ensure_experiment(change.workload)
        tags = {
            "mlflow.user": change.author,
            "mlflow.source.name": case.spec.training.command,
            "mlflow.source.git.commit": change.commit or "",
            "loopwright.change": change.id,
            "loopwright.uncommitted": str(change.dirty).lower(),
            "loopwright.data_version": case.outputs["data"]["version"],
            "loopwright.lock": case.outputs["environment"]["digest"],
        }
        run = services.tracking.ensure_run(
            experiment, change.id, job_id, {k: v for k, v in tags.items() if v}
        )
        given = parameters(
            case.spec.training.command, placeholders_of(training_variables(case.spec, case.change))
        )
        services.tracking.log_params(run, given)
        if change.diff:
            services.tracking.log_artifact(run, services.store.file(change.diff), "uncommitted.diff")
        body = {
            "run": run,
            "change": change.id,
            "data_version": case.outputs["data"]["version"],
            "lock": case.outputs["environment"]["digest"],
            "parameters": given,
        }
        services.book.append_once(
            "run.created", change.workload, job_id, body, "loopwright", services.clock()
        )
        return run

    def result(self, case: Case, services: Services, job_id: str, folder: Path) -> dict[str, Any]:
        outputs = folder / "outputs"
        run = self._run(case, services, job_id)
        services.tracking.log_artifact(run, folder / "log.txt", "log.txt")
        for log in sorted((folder / RANKS).glob("*.log")):
            services.tracking.log_artifact(run, log, f"{RANKS}/{log.name}")
        if not any(path.is_file() for path in outputs.rglob("*")):
            services.tracking.end_run(run, "FAILED")
            raise StepFailed(
                "The training job wrote no file to {outputs}, expected the model there. "
                "Give the folder to the script in training.command, such as --model-path {outputs}/model.joblib.",
                ["training.command"],
            )
        model = services.store.put_tree(outputs)
        services.tracking.log_artifacts(run, services.store.tree(model), "model")
        logged = services.tracking.get_run(run)
        services.tracking.end_run(run, "FINISHED")
        return {
            "model": model,
            "run": run,
            "commit": case.change.commit,
            "author": case.change.author,
            "parameters": kept(logged.params),
            "metrics": kept(logged.metrics),
        }

    def cancelled(self, case: Case, services: Services, job_id: str, folder: Path) -> None:
        known = services.book.view.mark("run.created", job_id)
        if known is not None:
            if (folder / "log.txt").exists():
                services.tracking.log_artifact(known.body["run"], folder / "log.txt", "log.txt")
            services.tracking.end_run(known.body["run"], "KILLED")

    def failed(
        self, case: Case, services: Services, job_id: str, folder: Path, status: JobStatus
    ) -> StepFailed:
        known = services.book.view.mark("run.created", job_id)
        if known is not None:
            if (folder / "log.txt").exists():
                services.tracking.log_artifact(known.body["run"], folder / "log.txt", "log.txt")
            services.tracking.end_run(known.body["run"], "FAILED")
        compute = case.spec.training.compute
        if status.reason == "max_duration":
            return StepFailed(
                f"The training job ran longer than training.compute.max_duration ({compute.max_duration:g} s) and was ended.{last_lines(folder / 'log.txt')}",
                ["training.compute.max_duration"],
            )
        if status.reason == "memory":
            return StepFailed(
                f"The training job used more than training.compute.memory ({compute.memory} bytes) and was ended.{last_lines(folder / 'log.txt')}",
                ["training.compute.memory"],
            )
        raised = in_scripts(log_end(folder / "log.txt"), case.change.files)
        message = super().failed(case, services, job_id, folder, status).message
        return StepFailed(message, raised or ["training.command"])

    def summary(self, output: Output) -> str:
        return f"run {output['run'][:8]}"


def kept(logged: Mapping[str, str | float]) -> dict[str, str | float]:
    """What a run logged, as its fact repeats it: a number that JSON does not have (NaN, infinity) as text."""
    return {
        name: value if isinstance(value, float) and math.isfinite(value) else str(value)[:_LONGEST_KEPT]
        for name, value in sorted(logged.items())[:_MOST_KEPT]
    }


def _command(command: tuple[str, ...], compute: Compute, run: str, folder: Path) -> tuple[str, ...]:
    """The command itself, or what runs it on several nodes."""
    if compute.nodes == 1:
        return command
    return on_nodes(command, compute.nodes, compute.gpu, run, folder / RANKS)
