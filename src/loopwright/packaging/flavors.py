"""Which library wrote a model, told from the file: what `serving.flavor` says where it is given.

By what the file holds where its first bytes tell, else by its name. Nothing is loaded here: a pickle runs code.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from loopwright.errors import StepFailed
from loopwright.scoring import Flavor

_PICKLES = (".joblib", ".pkl", ".pickle", ".skops")
_HEAD = 4096  # bytes that are looked at
_MLMODEL = "MLmodel"  # in every folder that mlflow.save_model writes
_MOST_NAMED = 6


def model_file(model: Path, path: str) -> Path:
    """The file or folder of a model inside what training wrote; raises StepFailed where it is not there."""
    found = model / path
    if found.exists():
        return found
    there = sorted(str(one.relative_to(model)) for one in model.rglob("*") if one.is_file())
    near = get_close_matches(path, there, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    more = f" and {len(there) - _MOST_NAMED} more" if len(there) > _MOST_NAMED else ""
    raise StepFailed(
        f"Training wrote no {path} into {{outputs}}; it wrote {', '.join(there[:_MOST_NAMED])}{more}.{hint} "
        "Let serving.model name what the training command writes.",
        ["serving.model"],
    )


def flavor_of(file: Path, path: str) -> Flavor:
    """The flavor of a model, which messages call `path`; raises StepFailed where neither its content nor its name tells."""
    if file.is_dir():
        if (file / _MLMODEL).is_file():
            return "mlflow"
        raise _unknown(
            path, f"a folder without a file {_MLMODEL}, which MLflow writes into the folder of a model"
        )
    found = _by_content(file) or _by_name(file.suffix.lower())
    if found is None:
        raise _unknown(path, "neither its name nor its first bytes tell")
    return found


def _by_content(file: Path) -> Flavor | None:
    with file.open("rb") as stream:
        head = stream.read(_HEAD)
    if head.startswith(b"tree\n"):
        return "lightgbm"
    if head.startswith(b"{") and b"learner" in head:  # as JSON and as UBJSON
        return "xgboost"
    return None


def _by_name(suffix: str) -> Flavor | None:
    if suffix == ".onnx":
        return "onnx"
    return "sklearn" if suffix in _PICKLES else None


def _unknown(path: str, why: str) -> StepFailed:
    return StepFailed(
        f"What wrote the model {path} cannot be told: {why}. Say it with serving.flavor, one of "
        f"{', '.join(get_args(Flavor))}.",
        ["serving.model"],
    )
