"""What is: the status."""

from __future__ import annotations

from typing import Any

from loopwright import __version__
from loopwright.engines.base import EngineReport
from loopwright.errors import NotFoundError
from loopwright.ledger import Fact
from loopwright.loop.keys import endpoint_key, feedback_key
from loopwright.loop.serving import example_request
from loopwright.loop.view import View
from loopwright.operations.control import ControlPlane
from loopwright.operations.naming import pick
from loopwright.operations.reading import read_view
from loopwright.state import StateFolder


def status(control: ControlPlane, workload: str | None = None) -> dict[str, Any]:
    """Every workload (or one): its newest change, and what serves in each environment."""
    report = control.engine.report()
    with control.book.locked():
        view = control.book.view
        names = _asked(view, workload)
        workloads = [_workload(control, view, name, report) for name in names]
    services = {
        name: {"state": service.state, "pid": service.pid, "message": service.message}
        for name, service in sorted(report.services.items())
    }
    return {
        "running": True,
        "version": __version__,
        "home": str(control.state.root),
        "epoch": control.epoch,
        "trouble": control.driver.trouble,
        "tracking_url": control.engine.tracking_url(),
        "services": services,
        "workloads": workloads,
    }


def stopped_status(state: StateFolder, workload: str | None = None) -> dict[str, Any]:
    """The status where no control plane runs: what the ledger knows of every workload, or of one."""
    view = read_view(state)
    return {
        "running": False,
        "version": __version__,
        "home": str(state.root),
        "services": {},
        "workloads": [_recorded(view, name) for name in _asked(view, workload)],
    }


def _asked(view: View, workload: str | None) -> list[str]:
    """Raises NotFoundError for a workload that is not known."""
    return sorted(view.newest) if workload is None else [pick(workload, view.newest, "workload")]


def _recorded(view: View, name: str) -> dict[str, Any]:
    """What was asked for last, and what served last in each environment."""
    released = {
        environment: f"{name}:{releases[-1].body['version']}"
        for (environment, workload), releases in view.releases.items()
        if workload == name and releases
    }
    change = view.newest[name]
    return {"workload": name, "change": change, "folder": view.changes[change].folder, "released": released}


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
        "transfers": [
            known.body()
            for fact in view.open_transfers()
            if fact.workload == name and (known := control.driver.board.known(fact.key)) is not None
        ],
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
        "feedback_key": feedback_key(control.state, body["environment"], release.workload),
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
