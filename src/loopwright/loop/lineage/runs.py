"""Runs: each execution of a training job, how it ended, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from loopwright.ledger import Fact
from loopwright.loop.lineage.chronicle import Chronicle
from loopwright.loop.lineage.evaluations import evaluations
from loopwright.loop.lineage.packages import made, version_numbers

_ENDS = {
    "step.succeeded": "succeeded",
    "job.lost": "lost",
    "job.cancelled": "cancelled",
    "job.failed": "failed",
}


@dataclass(frozen=True)
class Run:
    """One of them."""

    run: str  # id in the tracking server
    workload: str
    job: str
    change: str
    status: str  # running, succeeded, failed, lost, cancelled
    message: str  # why it failed
    started_at: float
    ended_at: float | None
    duration: float | None  # seconds
    author: str
    asked_by: str
    commit: str | None
    dirty: bool
    spec: str  # digest of loopwright.yaml in the store
    data_version: str | None
    lock: str | None
    parameters: dict[str, Any] | None  # None where the facts do not say
    metrics: dict[str, Any]  # its own, and those of the evaluation as evaluation.NAME
    packages: tuple[str, ...]
    versions: tuple[str, ...]


def runs(chronicle: Chronicle, workload: str) -> list[Run]:
    """All runs of a workload, in the order in which they began."""
    judged, numbers = evaluations(chronicle, workload), version_numbers(chronicle, workload)
    of_run: dict[str, list[Fact]] = defaultdict(list)
    for fact in made(chronicle, workload).values():
        of_run[fact.body["output"]["run"]].append(fact)
    found = []
    for job, created in chronicle.runs.items():
        if created.workload == workload:
            packages = [fact.body["output"]["digest"] for fact in of_run[created.body["run"]]]
            metrics = {
                f"evaluation.{name}": value
                for package in packages
                if package in judged
                for name, value in judged[package].metrics.items()
            }
            inputs = of_run[created.body["run"]][0].body["output"] if packages else {}
            versions = tuple(numbers[package] for package in packages if package in numbers)
            found.append(_run(chronicle, job, created, inputs, metrics, tuple(packages), versions))
    return found


def _run(
    chronicle: Chronicle,
    job: str,
    created: Fact,
    package: dict[str, Any],
    metrics: dict[str, Any],
    packages: tuple[str, ...],
    versions: tuple[str, ...],
) -> Run:
    start, end = chronicle.starts.get(job), _end(chronicle, job)
    began = start or created
    change = began.body.get("change") or created.body.get("change", "")
    asked, output = chronicle.change(change), end.body.get("output", {}) if end else {}
    return Run(
        run=created.body["run"],
        workload=created.workload,
        job=job,
        change=change,
        status=_ENDS.get(end.kind, "failed") if end else "running",
        message=end.body.get("message", "") if end else "",
        started_at=began.time,
        ended_at=end.time if end else None,
        duration=end.time - began.time if end else None,
        author=output.get("author") or asked.get("author", ""),
        asked_by=chronicle.actor(change),
        commit=output.get("commit") or asked.get("commit"),
        dirty=bool(asked.get("dirty")),
        spec=asked.get("spec", ""),
        data_version=created.body.get("data_version") or package.get("data_version"),
        lock=created.body.get("lock") or package.get("environment"),
        parameters=output.get("parameters", created.body.get("parameters")),
        metrics=output.get("metrics", {}) | metrics,
        packages=packages,
        versions=versions,
    )


def _end(chronicle: Chronicle, job: str) -> Fact | None:
    """How a job ended: by its own fact, or by the failure of its step, which names the same inputs."""
    end, start = chronicle.ends.get(job), chronicle.starts.get(job)
    if end is not None or start is None:
        return end
    failure = chronicle.failures.get((start.body["change"], start.body["step"]))
    return failure if failure and failure.body["inputs"] == start.body["inputs"] else None
