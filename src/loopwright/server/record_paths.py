"""The paths of what is: status and logs."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from loopwright.operations import logs as log_files
from loopwright.operations import records
from loopwright.operations.control import ControlPlane


def add(app: FastAPI, control: ControlPlane) -> None:
    """Add these paths."""

    @app.get("/v1/status")
    def status(workload: str | None = None) -> dict[str, Any]:
        return records.status(control, workload)

    @app.get("/v1/logs/{workload}")
    def logs(workload: str, part: str | None = None) -> dict[str, Any]:
        return log_files.logs(control, workload, part)
