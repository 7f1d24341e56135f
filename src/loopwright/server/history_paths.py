"""The paths of what happened: facts, what served at a moment, and whether the record is whole."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI

from loopwright.operations import history, moments
from loopwright.operations.control import ControlPlane


def add(app: FastAPI, control: ControlPlane) -> None:
    """Add these paths."""

    @app.get("/v1/history")
    def facts(wish: Annotated[history.Wish, Depends()]) -> dict[str, Any]:
        return history.history(control.ledger, wish)

    @app.get("/v1/history/at")
    def served_at(
        at: float | None = None, workload: str | None = None, environment: str | None = None
    ) -> list[dict[str, Any]]:
        return moments.served_at(control.ledger, control.store, at, workload, environment)

    @app.get("/v1/history/verify")
    def verify() -> dict[str, Any]:
        return history.verify(control.ledger)
