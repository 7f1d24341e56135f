"""The HTTP API: paths to operations, errors to statuses."""

from __future__ import annotations

import os
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from loopwright import __version__
from loopwright.errors import (
    ConflictError,
    EngineError,
    IntegrityError,
    LoopwrightError,
    MachineError,
    NotFoundError,
    PermanentError,
    SpecError,
    StaleEpochError,
    StepFailed,
    TemporaryError,
    UsageError,
)
from loopwright.log import logger
from loopwright.operations import changes, records
from loopwright.operations.control import ControlPlane
from loopwright.server.credentials import actor

STATUS: dict[type[LoopwrightError], int] = {
    LoopwrightError: 500,
    PermanentError: 500,
    UsageError: 400,
    SpecError: 422,
    NotFoundError: 404,
    ConflictError: 409,
    StepFailed: 422,
    IntegrityError: 500,
    EngineError: 422,
    StaleEpochError: 409,
    MachineError: 507,
    TemporaryError: 503,
}

Actor = Annotated[str, Depends(actor)]
_LONGEST_WAIT = 30.0
_log = logger("server")


class UpRequest(BaseModel):
    """Ask for a change."""

    folder: str
    auto_approve: bool = False


class DecisionRequest(BaseModel):
    """Decide an approval."""

    decision: str = Field(pattern="^(approve|reject)$")
    comment: str = ""


def create(control: ControlPlane) -> FastAPI:
    """The application of one control plane."""
    app = FastAPI(title="Loopwright", version=__version__, docs_url=None, redoc_url=None)
    _errors(app)
    _changes(app, control)
    _records(app, control)

    @app.get("/v1/health")
    def health() -> dict[str, Any]:
        return {"version": __version__, "pid": os.getpid(), "epoch": control.epoch}

    @app.post("/v1/down")
    def down(who: Actor) -> dict[str, Any]:
        control.stop_everything(who)
        return {"stopping": True}

    return app


def _errors(app: FastAPI) -> None:
    @app.exception_handler(LoopwrightError)
    def told(request: Request, error: LoopwrightError) -> JSONResponse:
        del request
        content = {"error": {"code": error.code, "message": error.message, "details": error.details()}}
        return JSONResponse(content, STATUS[type(error)])

    @app.exception_handler(Exception)
    def fault(request: Request, error: Exception) -> JSONResponse:
        _log.error("a request failed", extra={"action": "request", "path": request.url.path}, exc_info=error)
        message = f"A fault of Loopwright's own: {error!r}. The control plane's log has more."
        return told(request, LoopwrightError(message))

    @app.exception_handler(HTTPException)
    def unknown(request: Request, error: HTTPException) -> JSONResponse:
        return told(
            request,
            UsageError(
                f"The control plane does not know {request.method} {request.url.path}: {error.detail}."
            ),
        )

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        return told(request, UsageError(f"The request to {request.url.path} is not understood: {error}"))


def _changes(app: FastAPI, control: ControlPlane) -> None:
    @app.post("/v1/changes")
    def up(asked: UpRequest, who: Actor) -> dict[str, Any]:
        return changes.up(control, asked.folder, asked.auto_approve, who)

    @app.get("/v1/changes/{change}")
    def progress(
        change: str, after: int = 0, wait: Annotated[float, Query(ge=0, le=_LONGEST_WAIT)] = 0.0
    ) -> dict[str, Any]:
        return changes.progress(control, change, after, wait)

    @app.post("/v1/approvals/{approval}")
    def decide(approval: str, asked: DecisionRequest, who: Actor) -> dict[str, Any]:
        return changes.decide(control, approval, asked.decision, asked.comment, who)


def _records(app: FastAPI, control: ControlPlane) -> None:
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
