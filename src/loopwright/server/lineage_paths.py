"""The paths of what was made and released: models, runs, releases, packages, data."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query

from loopwright.operations import lineage, moments, runs
from loopwright.operations.control import ControlPlane
from loopwright.operations.sources import living


def add(app: FastAPI, control: ControlPlane) -> None:
    """Add these paths."""
    book, store = control.book, control.store

    @app.get("/v1/models")
    def models(workload: str | None = None, version: str | None = None) -> list[dict[str, Any]]:
        return lineage.models(living(book, store), workload, version)

    @app.get("/v1/models/newest-approved")
    def newest_approved(workload: str | None = None, environment: str | None = None) -> dict[str, Any]:
        return moments.newest_approved(control.ledger, store, workload, environment)

    @app.get("/v1/runs")
    def list_runs(word: Annotated[list[str], Query()] = []) -> list[dict[str, Any]]:  # noqa: B006
        return runs.runs(living(book, store), word)

    @app.get("/v1/runs/compare")
    def compare(word: Annotated[list[str], Query()] = []) -> dict[str, Any]:  # noqa: B006
        return runs.compare(living(book, store), word)

    @app.get("/v1/releases")
    def releases(workload: str | None = None, environment: str | None = None) -> list[dict[str, Any]]:
        return lineage.releases(living(book, store), workload, environment)

    @app.get("/v1/packages")
    def packages(workload: str | None = None, digest: str | None = None) -> list[dict[str, Any]]:
        return lineage.packages(living(book, store), workload, digest)

    @app.get("/v1/data")
    def data(workload: str | None = None, version: str | None = None) -> dict[str, Any]:
        return lineage.data(living(book, store), workload, version)
