"""The paths of keeping an installation: a backup that was made is recorded."""

from __future__ import annotations

import time
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from loopwright.operations.control import ControlPlane
from loopwright.server.credentials import Actor


class BackupMade(BaseModel):
    """A backup, and the newest fact that is in it."""

    file: str
    sequence: int
    hash: str
    time: float


def add(app: FastAPI, control: ControlPlane) -> None:
    """Add these paths."""

    @app.post("/v1/backups")
    def backed_up(made: BackupMade, who: Actor) -> dict[str, Any]:
        body = made.model_dump()
        control.book.append_once("state.backed-up", "", f"{made.file}@{made.hash}", body, who, time.time())
        return body
