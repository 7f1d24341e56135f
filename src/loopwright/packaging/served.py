"""The model that answers in a package without a script: its file, what wrote it, and what it answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from loopwright.packaging import describing
from loopwright.packaging.flavors import flavor_of, model_file
from loopwright.scoring import Flavor, Input, ModelFile, Output


class Served(msgspec.Struct, frozen=True):
    """A model as its package serves it."""

    model: ModelFile
    outputs: tuple[Output, ...]
    compiled: bool = False

    def told(self) -> dict[str, Any]:
        """What the step's result says of it."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        return told


def served_model(
    package: Path,
    path: str,
    flavor: Flavor | None,
    python: str,
    inputs: Sequence[Input],
    example: Mapping[str, Any],
) -> Served:
    """The model at `path` inside what training wrote; raises StepFailed where it is not there or cannot be asked."""
    file = model_file(package / "model", path)
    model = ModelFile(path=path, flavor=flavor or flavor_of(file, path))
    return Served(model, describing.outputs(package, model, python, inputs, example))
