"""Which files hold the output of a step's newest job, or of an environment's replicas."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from loopwright.engines.local.logs import StoredLogs
from loopwright.errors import NotFoundError
from loopwright.loop.view import View
from loopwright.operations.control import ControlPlane
from loopwright.operations.naming import pick
from loopwright.operations.reading import read_view
from loopwright.state import StateFolder


class Logs(Protocol):
    """Who knows where logs lie: an engine, or a state folder of which nothing runs."""

    def job_log(self, job_id: str) -> Path: ...
    def replica_logs(self, name: str) -> list[Path]: ...


def logs(control: ControlPlane, workload: str, part: str | None) -> dict[str, Any]:
    """The files, each with what it is the log of; of a step that was tried again one for each try.

    Raises NotFoundError for what has no log.
    """
    with control.book.locked():
        return _found(control.book.view, control.engine, workload, part)


def stored_logs(state: StateFolder, workload: str, part: str | None) -> dict[str, Any]:
    """As `logs`, where no control plane runs."""
    return _found(read_view(state), StoredLogs(state), workload, part)


def _found(view: View, where: Logs, workload: str, part: str | None) -> dict[str, Any]:
    workload = pick(workload, view.newest, "workload")
    jobs = _jobs(view, workload)
    environments = [of for (of, name), releases in view.releases.items() if name == workload and releases]
    release = view.current(part, workload) if part else None
    if release is not None:
        named = [(file.parent.name, file) for file in where.replica_logs(release.body["replica_set"])]
    else:
        step = part or next(iter(jobs), "")
        named = [(name, where.job_log(job)) for name, job in _tries(view, step, jobs.get(step, ""))]
    named = [(name, file) for name, file in named if file.exists()]
    if not named:
        known = ", ".join([*jobs, *environments]) or "none"
        raise NotFoundError(
            f"{workload} has no log of {part or 'any step'} yet. Steps and environments with one: {known}."
        )
    return {"workload": workload, "files": [{"name": name, "path": str(file)} for name, file in named]}


def _tries(view: View, step: str, job: str) -> list[tuple[str, str]]:
    """The jobs of a step's newest doing, by what their logs are called."""
    failed = [fact.key for fact in view.retries.get((view.jobs.get(job, ""), step), []) if fact.key != job]
    if not failed:
        return [(step, job)] if job else []
    return [(f"{step}, attempt {number}", one) for number, one in enumerate([*failed, job], 1)]


def _jobs(view: View, workload: str) -> dict[str, str]:
    """The newest job of each step, the newest of these first."""
    started = [fact for fact in view.starts.values() if fact.workload == workload and fact.body.get("job")]
    found: dict[str, str] = {}
    for fact in sorted(started, key=lambda fact: fact.sequence, reverse=True):
        found.setdefault(fact.body["step"], fact.body["job"])
    return found
