"""The model that answers in a package without a script: its file, what wrote it, and what it answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from loopwright.packaging import describing
from loopwright.packaging.compiling import Data, Wish, compiled_form
from loopwright.packaging.flavors import flavor_of, model_file
from loopwright.scoring import Flavor, Input, ModelFile, Output


class Served(msgspec.Struct, frozen=True):
    """A model as its package serves it."""

    model: ModelFile
    outputs: tuple[Output, ...]
    compiled: bool = False
    uncompiled: str = ""  # why it is not: a clause
    compilation: dict[str, Any] | None = None  # what was compared, and what that came to

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
    wish: Wish,
    data: Data,
) -> Served:
    """The model at `path` inside what training wrote, compiled where that is wished and gives the same answers.

    Raises StepFailed where it is not there, cannot be asked, or must be compiled and cannot be.
    """
    file = model_file(package / "model", path)
    model = ModelFile(path=path, flavor=flavor or flavor_of(file, path))
    made = compiled_form(wish, package, model, python, inputs, example, data)
    if made.outputs is None:
        return Served(
            model, describing.outputs(package, model, python, inputs, example), uncompiled=made.reason
        )
    return Served(model, made.outputs, compiled=True, compilation=made.report)
