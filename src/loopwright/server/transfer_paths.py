"""The paths of transfers, releases brought about again, and of the end of what serves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

from loopwright.operations import promoting, retiring, rollback
from loopwright.operations.control import ControlPlane
from loopwright.server.credentials import Actor


class RollbackRequest(BaseModel):
    """Ask for an earlier version."""

    words: list[str] = []
    comment: str = ""
    token: str = Field(default="", max_length=64)  # the same in each try of one request


class PromotionRequest(BaseModel):
    """Ask that what serves in one environment come to another."""

    source: str
    target: str
    workload: str | None = None
    skip: bool = False
    comment: str = ""
    token: str = Field(default="", max_length=64)


class RetirementRequest(BaseModel):
    """Ask that an environment which the spec does not have any more serve no longer."""

    environment: str
    workload: str | None = None
    comment: str = ""


def add(app: FastAPI, control: ControlPlane) -> None:
    """Add these paths."""

    @app.post("/v1/rollbacks")
    def roll_back(asked: RollbackRequest, who: Actor) -> dict[str, Any]:
        return rollback.rollback(control, asked.words, asked.comment, who, asked.token)

    @app.post("/v1/promotions")
    def promote(asked: PromotionRequest, who: Actor) -> dict[str, Any]:
        return promoting.promote(control, promoting.Wish(**asked.model_dump()), who)

    @app.post("/v1/retirements")
    def retire(asked: RetirementRequest, who: Actor) -> dict[str, Any]:
        return retiring.retire(control, asked.environment, asked.workload, asked.comment, who)
