"""What all sides serve: two models trained here and now on the Titanic's passengers, and the rows that are asked."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments import KEPT, PEERS, ROOT, environment

DATA = ROOT / "examples" / "titanic" / "data" / "passengers.csv"
LABEL = "survived"
FOREST, LOGISTIC = "forest", "logistic"
MODELS = (FOREST, LOGISTIC)


@dataclass(frozen=True, eq=False)
class Model:
    """A trained pipeline in `folder` (model.joblib), and the probabilities that it gives for `rows`."""

    name: str
    folder: Path
    rows: list[dict[str, Any]]
    answers: list[float]

    @property
    def train(self) -> Path:
        """The rows that it was trained on, as CSV."""
        return self.folder.parent / "train.csv"

    @property
    def test(self) -> Path:
        """The rows that it has not seen."""
        return self.folder.parent / "test.csv"


def trained() -> dict[str, Model]:
    """Both models, trained by scikit-learn in the models' own environment."""
    folder = KEPT / "models"
    python = environment("model") / "python"
    _run(python, PEERS / "model" / "train.py", DATA, folder)
    said = json.loads((folder / "rows.json").read_text())
    return {name: Model(name, folder / name, said["rows"], said["answers"][name]) for name in MODELS}


def saved_for_mlflow(model: Model) -> Path:
    """The model in MLflow's form, which only MLflow's environment can write."""
    saved = model.folder / "mlflow"
    shutil.rmtree(saved, ignore_errors=True)
    _run(environment("mlflow") / "python", PEERS / "mlflow" / "save.py", model.folder)
    return saved


def _run(*words: str | Path) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
