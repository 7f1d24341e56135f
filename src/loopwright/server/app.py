"""The HTTP API: paths to operations, errors to statuses."""

from __future__ import annotations

import os
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
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
from loopwright.operations.control import ControlPlane
from loopwright.server import (
    change_paths,
    clean_paths,
    history_paths,
    keeping_paths,
    lineage_paths,
    record_paths,
    secret_paths,
    transfer_paths,
)
from loopwright.server.credentials import Actor
from loopwright.server.sharing import require_allowed

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

_log = logger("server")


def create(control: ControlPlane) -> FastAPI:
    """The application of one control plane."""
    app = FastAPI(
        title="Loopwright",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(require_allowed)],
    )
    _errors(app)
    for paths in (
        change_paths,
        transfer_paths,
        clean_paths,
        history_paths,
        keeping_paths,
        lineage_paths,
        record_paths,
        secret_paths,
    ):
        paths.add(app, control)

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
