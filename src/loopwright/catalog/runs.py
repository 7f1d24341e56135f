"""Runs: what a training job did, recorded in MLflow."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from loopwright.catalog import limits
from loopwright.catalog.store import walk
from loopwright.errors import ConflictError, NotFoundError, PermanentError

if TYPE_CHECKING:
    from loopwright.catalog.rest import Rest

JOB_TAG = "loopwright.job"
RunEnd = Literal["FINISHED", "FAILED", "KILLED"]

# A search followed by a creation is two requests: one at a time in this process, and one process at a time writes.
_creating = threading.Lock()


@dataclass(frozen=True)
class Run:
    """A recorded execution of a training job."""

    id: str
    experiment: str
    name: str
    status: str  # RUNNING, FINISHED, FAILED, KILLED
    artifact_uri: str
    params: dict[str, str]
    metrics: dict[str, float]  # the newest value of each
    tags: dict[str, str]


class Runs:
    """The part of `Tracking` that is about runs."""

    _rest: Rest

    def ensure_experiment(self, name: str) -> str:
        """The id of the experiment of this name, made where there is none."""
        try:
            return self._experiment(name)
        except NotFoundError:
            pass
        try:
            return str(self._rest.post("experiments/create", {"name": name})["experiment_id"])
        except ConflictError:  # made by another meanwhile
            return self._experiment(name)

    def _experiment(self, name: str) -> str:
        experiment = self._rest.get("experiments/get-by-name", {"experiment_name": name})["experiment"]
        if experiment["lifecycle_stage"] != "active":
            number = experiment["experiment_id"]
            raise ConflictError(
                f"The MLflow experiment {name!r} was deleted. Restore it with `mlflow experiments restore --experiment-id {number}`."
            )
        return str(experiment["experiment_id"])

    def ensure_run(
        self,
        experiment: str,
        name: str,
        job: str,
        tags: Mapping[str, str] | None = None,
        now: float | None = None,
    ) -> str:
        """The id of the run of this job (kept as tag `loopwright.job`), begun where there is none.

        `now` is its start in seconds since the epoch; the clock's time where not given.
        """
        with _creating:
            known = self.search_runs(experiment, f"tags.`{JOB_TAG}` = {limits.quoted(job)}")
            if known:
                return known[-1].id  # the first that was begun
            body = {
                "experiment_id": experiment,
                "run_name": name,
                "start_time": _milliseconds(now),
                "tags": limits.pairs({**(tags or {}), JOB_TAG: job}, limits.RUN_TAG),
            }
            return str(self._rest.post("runs/create", body)["run"]["info"]["run_id"])

    def get_run(self, run: str) -> Run:
        """A run as it stands; raises NotFoundError where there is none."""
        return _run(self._rest.get("runs/get", {"run_id": run})["run"])

    def search_runs(self, experiment: str, expression: str = "") -> list[Run]:
        """The runs of an experiment that match MLflow's search expression, newest first."""
        found: list[Run] = []
        body = {"experiment_ids": [experiment], "filter": expression, "max_results": limits.PAGE}
        while True:
            page = self._rest.post("runs/search", body | {"order_by": ["attributes.start_time DESC"]})
            found += [_run(run) for run in page.get("runs", [])]
            if not page.get("next_page_token"):
                return found
            body["page_token"] = page["next_page_token"]

    def log_params(self, run: str, params: Mapping[str, object]) -> None:
        """Record parameters; a parameter has one value for good, so another value for it is refused by MLflow."""
        for part in limits.batches(limits.pairs(params, limits.PARAMETER), limits.PARAMETERS_AT_ONCE):
            self._rest.post("runs/log-batch", {"run_id": run, "params": part})

    def log_metrics(
        self, run: str, metrics: Mapping[str, float], step: int = 0, now: float | None = None
    ) -> None:
        """Record values of metrics, all or none; raises PermanentError for NaN and infinity."""
        limits.check_metrics(metrics)
        at = _milliseconds(now)
        values = [
            {"key": key, "value": value, "timestamp": at, "step": step} for key, value in metrics.items()
        ]
        for part in limits.batches(values, limits.METRICS_AT_ONCE):
            self._rest.post("runs/log-batch", {"run_id": run, "metrics": part})

    def log_artifact(self, run: str, file: Path, path: str = "") -> None:
        """Keep a file with the run, as `path` (the file's own name where not given); streamed, replaced if there."""
        self._rest.upload(f"{self._artifacts(run)}/{path or file.name}", file)

    def log_artifacts(self, run: str, folder: Path, path: str = "") -> None:
        """Keep all files of a folder with the run, below `path`."""
        root = "/".join(part for part in (self._artifacts(run), path) if part)
        for inside in sorted(walk(folder)):
            self._rest.upload(f"{root}/{inside}", folder / inside)

    def end_run(self, run: str, status: RunEnd = "FINISHED", now: float | None = None) -> None:
        """Say how a run ended."""
        self._rest.post("runs/update", {"run_id": run, "status": status, "end_time": _milliseconds(now)})

    def _artifacts(self, run: str) -> str:
        """Where a run's artifacts lie below the server's root of artifacts."""
        uri = self.get_run(run).artifact_uri
        parts = urlsplit(uri)
        if parts.scheme != "mlflow-artifacts":
            raise PermanentError(
                f"The artifacts of run {run} lie at {uri}, not behind the tracking server; start it with --serve-artifacts."
            )
        return parts.path.strip("/")


def _run(answer: Mapping[str, Any]) -> Run:
    info, data = answer["info"], answer.get("data", {})
    return Run(
        id=info["run_id"],
        experiment=info["experiment_id"],
        name=info.get("run_name", ""),
        status=info["status"],
        artifact_uri=info["artifact_uri"],
        params={param["key"]: param.get("value", "") for param in data.get("params", [])},
        metrics={metric["key"]: float(metric["value"]) for metric in data.get("metrics", [])},
        tags={tag["key"]: tag.get("value", "") for tag in data.get("tags", [])},
    )


def _milliseconds(now: float | None) -> int:
    return round((time.time() if now is None else now) * 1000)
