"""What a model answers with, asked of the model itself: loaded once in the user's own interpreter and lock.

serving.json names the outputs of a model, so they must be known before its first replica starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from loopwright.errors import StepFailed
from loopwright.packaging import describe_shim
from loopwright.scoring import Input, ModelFile, Output

_PATIENCE = 120.0  # seconds for the model to load and to answer one row, its imports included
_MODEL_SHIM = Path(describe_shim.__file__).parents[1] / "scoring" / "model_shim.py"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def outputs(
    package: Path, model: ModelFile, python: str, inputs: Sequence[Input], example: Mapping[str, Any]
) -> tuple[Output, ...]:
    """Names and types of what the model answers with, in order; raises StepFailed where it cannot be loaded or asked."""
    with tempfile.TemporaryDirectory(prefix="loopwright-") as place:
        request, answer = Path(place) / "request.json", Path(place) / "answer.json"
        asked = {
            "shim": str(_MODEL_SHIM),
            "code": str(package / "code"),
            "model": str(package / "model" / model.path),
            "flavor": model.flavor,
            "names": [one.name for one in inputs],
            "types": [one.type for one in inputs],
            "nullable": [one.name for one in inputs if one.nullable],
            "row": [example.get(one.name) for one in inputs],
            "answer": str(answer),
        }
        request.write_bytes(msgspec.json.encode(asked))
        _run(python, request, model)
        told = msgspec.json.decode(answer.read_bytes())
    if "refused" in told:
        raise StepFailed(told["refused"], ["serving.model"])
    return tuple(Output(name=name, type=kind) for name, kind in told["outputs"])


def _run(python: str, request: Path, model: ModelFile) -> None:
    command = (python, "-I", "-u", describe_shim.__file__, str(request))
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
    try:
        ended = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StepFailed(
            f"The model {model.path} was not loaded and asked within {_PATIENCE:g} s.", ["serving.model"]
        ) from None
    if ended.returncode != 0:
        raise StepFailed(
            f"The model {model.path} cannot be loaded: its interpreter ended with status {ended.returncode} (out of memory?); "
            "its log says more.",
            ["serving.model"],
        )
