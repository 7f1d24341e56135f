"""The paths of changes: asked for, followed, decided."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field

from loopwright.operations import approving, cancelling, changes
from loopwright.operations.control import ControlPlane
from loopwright.server.credentials import Actor

_LONGEST_WAIT = 30.0


class UpRequest(BaseModel):
    """Ask for a change."""

    folder: str
    auto_approve: bool = False
    environment: dict[str, str] | None = Field(default=None, repr=False)
    again: bool = False
    token: str = Field(default="", max_length=64)  # the same in each try of one request


class DecisionRequest(BaseModel):
    """Decide an approval."""

    decision: str = Field(pattern="^(approve|reject)$")
    comment: str = ""


class CancelRequest(BaseModel):
    """Cancel a change, named by its id or its workload; the only one under way where neither is named."""

    name: str | None = None


def add(app: FastAPI, control: ControlPlane) -> None:
    """Add these paths."""

    @app.post("/v1/changes")
    def up(asked: UpRequest, who: Actor) -> dict[str, Any]:
        return changes.up(
            control, asked.folder, asked.auto_approve, who, asked.environment, asked.again, asked.token
        )

    @app.get("/v1/changes/{change}")
    def progress(
        change: str, after: int = 0, wait: Annotated[float, Query(ge=0, le=_LONGEST_WAIT)] = 0.0
    ) -> dict[str, Any]:
        return changes.progress(control, change, after, wait)

    @app.post("/v1/cancel")
    def cancel(asked: CancelRequest, who: Actor) -> dict[str, Any]:
        return cancelling.cancel(control, asked.name, who)

    @app.post("/v1/approvals/{approval}")
    def decide(approval: str, asked: DecisionRequest, who: Actor) -> dict[str, Any]:
        return approving.decide(control, approval, asked.decision, asked.comment, who)
