"""The paths of what is and what was: status, history, logs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query

from loopwright.operations import records
from loopwright.operations.control import ControlPlane


def add(app: FastAPI, control: ControlPlane) -> None:
    """Add these paths."""

    @app.get("/v1/status")
    def status(workload: str | None = None) -> dict[str, Any]:
        return records.status(control, workload)

    @app.get("/v1/history")
    def history(workload: str | None = None, limit: Annotated[int, Query(ge=1)] = 50) -> list[dict[str, Any]]:
        return records.history(control.ledger, workload, limit)

    @app.get("/v1/history/verify")
    def verify() -> dict[str, Any]:
        return records.verify(control.ledger)

    @app.get("/v1/logs/{workload}")
    def logs(workload: str, part: str | None = None, offset: int = 0) -> dict[str, Any]:
        return records.logs(control, workload, part, offset)
