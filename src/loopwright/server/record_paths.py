"""The paths of what is: status and logs."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request

from loopwright.operations import logs as log_files
from loopwright.operations import records
from loopwright.operations.control import ControlPlane
from loopwright.server.sharing import is_member


def without_keys(status: dict[str, Any]) -> dict[str, Any]:
    """The same without the keys of endpoints, which are their owner's to give."""
    for workload in status["workloads"]:
        for serving in workload["environments"].values():
            serving["key"] = serving["feedback_key"] = None
    return status


def add(app: FastAPI, control: ControlPlane) -> None:
    """Add these paths."""

    @app.get("/v1/status")
    def status(request: Request, workload: str | None = None) -> dict[str, Any]:
        found = records.status(control, workload)
        return without_keys(found) if is_member(request) else found

    @app.get("/v1/logs/{workload}")
    def logs(workload: str, part: str | None = None) -> dict[str, Any]:
        return log_files.logs(control, workload, part)
