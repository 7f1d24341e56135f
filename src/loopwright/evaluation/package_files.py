"""What evaluation reads of a package: its files of JSON, and from these what its replica is told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from loopwright.errors import IntegrityError
from loopwright.scoring import Settings


def settings_for(
    package: Path, python: str, name: str, serving: Mapping[str, Any], validate: bool
) -> Settings:
    """The serving.json of a package under evaluation: the workload's limits, this package's code, model and signature."""
    manifest, signature = (
        read_package_file(package, "package.json"),
        read_package_file(package, "signature.json"),
    )
    own = {
        "workload": manifest["workload"],
        "environment": "evaluation",
        "revision": name,
        "version": None,
        "fronts": 1,
        "grpc": False,  # the held-out rows come by HTTP
        "package": str(package),
        "entry": manifest["entry"],
        "model": manifest.get("model"),
        "outputs": manifest.get("outputs"),
        "compiled": manifest.get("compiled", False),
        "python": python,
        "inputs": _inputs(signature["inputs"], validate, bool(manifest.get("model"))),
    }
    return msgspec.convert({**serving, **own}, Settings)


def _inputs(signed: list[dict[str, Any]], validate: bool, model: bool) -> list[dict[str, Any]] | None:
    """What rows are checked against: nothing for a script that is to judge for itself, and for a model all but what is missing."""
    if validate:
        return signed
    return [{**one, "nullable": True} for one in signed] if model else None


def read_package_file(package: Path, name: str) -> dict[str, Any]:
    """A JSON file of the package; raises IntegrityError where it is not there or not JSON."""
    try:
        content: dict[str, Any] = msgspec.json.decode((package / name).read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise IntegrityError(
            f"The package {package} has no readable {name} ({error}); package it again."
        ) from error
    return content
