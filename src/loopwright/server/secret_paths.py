"""The paths of secrets. Bodies are read by hand: a framework's own message about a wrong body would repeat the value."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, FastAPI

from loopwright.errors import UsageError
from loopwright.operations import secrets
from loopwright.operations.control import ControlPlane
from loopwright.server.credentials import Actor


def add(app: FastAPI, control: ControlPlane) -> None:
    """Add these paths."""

    @app.post("/v1/secrets/{name}")
    def put(name: str, body: Annotated[Any, Body()], who: Actor) -> dict[str, Any]:
        value = body.get("value") if isinstance(body, dict) else None
        if not isinstance(value, str):
            raise UsageError("The request has no text `value`.")
        return secrets.set_secret(control, name, value, who)

    @app.post("/v1/secrets/{name}/remove")
    def remove(name: str, who: Actor) -> dict[str, Any]:
        return secrets.remove_secret(control, name, who)

    @app.get("/v1/secrets")
    def listed() -> list[dict[str, Any]]:
        return secrets.list_secrets(control)
