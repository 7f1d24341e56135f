"""What is: status and logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loopwright import __version__
from loopwright.engines.base import EngineReport
from loopwright.errors import NotFoundError
from loopwright.ledger import Fact, exists, open_ledger
from loopwright.loop.keys import endpoint_key
from loopwright.loop.serving import example_request
from loopwright.loop.view import View
from loopwright.operations.control import ControlPlane
from loopwright.state import StateFolder


def status(control: ControlPlane, workload: str | None = None) -> dict[str, Any]:
    """Every workload (or one): its newest change, and what serves in each environment."""
    report = control.engine.report()
    with control.book.locked():
        view = control.book.view
        names = sorted(view.newest) if workload is None else [workload]
        if workload is not None and workload not in view.newest:
            raise NotFoundError(
                f"No workload {workload} is known here. Known: {', '.join(sorted(view.newest)) or 'none yet'}."
            )
        workloads = [_workload(control, view, name, report) for name in names]
    services = {
        name: {"state": service.state, "pid": service.pid}
        for name, service in sorted(report.services.items())
    }
    return {
        "running": True,
        "version": __version__,
        "home": str(control.state.root),
        "epoch": control.epoch,
        "tracking_url": control.engine.tracking_url(),
        "services": services,
        "workloads": workloads,
    }


def stopped_status(state: StateFolder) -> dict[str, Any]:
    """The status where no control plane runs: what the ledger knows."""
    workloads: list[dict[str, Any]] = []
    if exists(state):
        view = View()
        ledger = open_ledger(state)
        for fact in ledger.facts():
            view.apply(fact)
        ledger.close()
        workloads = [{"workload": name, "change": change} for name, change in sorted(view.newest.items())]
    return {
        "running": False,
        "version": __version__,
        "home": str(state.root),
        "services": {},
        "workloads": workloads,
    }


def _workload(control: ControlPlane, view: View, name: str, report: EngineReport) -> dict[str, Any]:
    change = view.newest[name]
    environments = {}
    for (environment, workload), releases in view.releases.items():
        if workload == name and releases:
            environments[environment] = _serving(control, releases[-1], report)
    try:
        shown = control.driver.board.get(change)[1].body()
    except NotFoundError:  # the first tick is still to come
        shown = {"change": change, "state": "running", "steps": []}
    return {
        "workload": name,
        "change": shown,
        "folder": view.changes[change].folder,
        "environments": environments,
    }


def _serving(control: ControlPlane, release: Fact, report: EngineReport) -> dict[str, Any]:
    body = release.body
    replicas = report.replica_sets.get(body["replica_set"])
    key = (
        endpoint_key(control.state, body["environment"], release.workload)
        if body["route"]["auth"] == "key"
        else None
    )
    return {
        "version": f"{release.workload}:{body['version']}",
        "package": body["package"]["digest"],
        "since": release.time,
        # Not the one of the fact: this state may be on another machine by now, with another port.
        "url": control.engine.endpoint(body["environment"], release.workload),
        "key": key,
        "example": example_request(body["package"]),
        "ready": replicas.ready if replicas else 0,
        "wanted": replicas.wanted if replicas else 0,
        "held": replicas.held if replicas else 0,
        "at_zero": replicas is not None and replicas.wanted == 0,
        "failing": replicas.failing if replicas else "",
        "replicas": [
            {"id": r.id, "state": r.state, "pid": r.pid, "restarts": r.restarts} for r in replicas.replicas
        ]
        if replicas
        else [],
    }


def logs(
    control: ControlPlane, workload: str, part: str | None, offset: int, most: int = 256 * 1024
) -> dict[str, Any]:
    """The log of a step's newest job, or of an environment's replicas, from a byte offset on."""
    with control.book.locked():
        view = control.book.view
        if workload not in view.newest:
            raise NotFoundError(
                f"No workload {workload} is known here. Known: {', '.join(sorted(view.newest)) or 'none yet'}."
            )
        files = _log_files(control, view, workload, part)
    if not files:
        raise NotFoundError(
            f"{workload} has no log of {part or 'any step'} yet. Steps and environments with one: {', '.join(_with_logs(view, workload)) or 'none'}."
        )
    return _read(files, offset, most)


def _log_files(control: ControlPlane, view: View, workload: str, part: str | None) -> list[Path]:
    release = view.current(part, workload) if part else None
    if release is not None:
        return control.engine.replica_logs(release.body["replica_set"])
    started = [fact for fact in view.starts.values() if fact.workload == workload and fact.body.get("job")]
    if part:
        started = [fact for fact in started if fact.body["step"] == part]
    if not started:
        return []
    newest = max(started, key=lambda fact: fact.sequence)
    return [control.engine.job_log(newest.body["job"])]


def _with_logs(view: View, workload: str) -> list[str]:
    steps = [
        fact.body["step"]
        for fact in view.starts.values()
        if fact.workload == workload and fact.body.get("job")
    ]
    environments = [
        environment
        for (environment, name), releases in view.releases.items()
        if name == workload and releases
    ]
    return list(dict.fromkeys(steps + environments))


def _read(files: list[Path], offset: int, most: int) -> dict[str, Any]:
    if len(files) > 1:  # several replicas: whole files, each under its name; offsets make no sense
        parts = [f"==> {file.parent.name} <==\n{_tail(file, most)}" for file in files]
        return {"text": "\n".join(parts), "next_offset": 0, "files": len(files)}
    file = files[0]
    if not file.exists():
        return {"text": "", "next_offset": offset, "files": 1}
    with file.open("rb") as stream:
        offset = offset if offset <= file.stat().st_size else 0  # the log was rotated meanwhile
        stream.seek(offset)
        content = stream.read(most)
    return {"text": content.decode(errors="replace"), "next_offset": offset + len(content), "files": 1}


def _tail(file: Path, most: int) -> str:
    if not file.exists():
        return ""
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - most))
        return stream.read().decode(errors="replace")
