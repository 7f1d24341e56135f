"""The path of cleaning."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from loopwright.operations.control import ControlPlane
from loopwright.operations.housekeeping import clean as clean_state
from loopwright.server.credentials import Actor


class CleanRequest(BaseModel):
    """Ask for a cleaning; `older_than` is a duration such as 30d."""

    older_than: str | None = None
    dry_run: bool = False


def add(app: FastAPI, control: ControlPlane) -> None:
    """Add this path."""

    @app.post("/v1/clean")
    def clean(asked: CleanRequest, who: Actor) -> dict[str, Any]:
        given = control.housekeeper.settings
        return clean_state(control.cleaner, control.book, given, asked.older_than, asked.dry_run, who)
