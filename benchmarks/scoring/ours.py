"""Our sides: a replica with the model compiled, with the model as it is and batching, and with a plain score.py.

The package is made by the packaging job of the loop, and a replica has on what it has in production: every input checked,
metrics, every request observed, distributions in the bins of the training data.
"""

from __future__ import annotations

import csv
import json
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from environments import KEPT, PEERS, environment
from models import LABEL, Model
from sides import Launch, Side, itself, probability

from loopwright.observations import bins

# As many may wait as the load has connections: what is refused when more come is another question.
LIMITS = {"concurrency": 8, "queue": 1024, "queue_wait": 30.0, "timeout": 30.0}
_TYPES = {str: "string", float: "number", int: "integer"}
_OUTPUTS = [{"name": "prediction", "type": "integer"}, {"name": "probability", "type": "number"}]
_MODEL = {"model": {"path": "model.joblib", "flavor": "sklearn"}, "outputs": _OUTPUTS}


def compiled(model: Model) -> Side:
    """The model compiled, in the front itself."""
    return _side("compiled", model, _MODEL | {"compiled": True})


def batched(model: Model) -> Side:
    """The model as scikit-learn has it, in a worker of its own lock; rows of several requests in one call."""
    return _side("batched", model, _MODEL | {"batching": {"rows": 64}})


def script(model: Model) -> Side:
    """A plain score.py: the same file that Azure's server gets, one request at a time in a worker."""
    return _side("script", model, {"entry": "score.py"})


def _side(name: str, model: Model, more: dict[str, Any]) -> Side:
    package = _packaged(model)

    def launch(port: int) -> Launch:
        folder = KEPT / "replicas" / f"{name}-{model.name}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        settings = folder / "serving.json"
        settings.write_text(json.dumps(_settings(model, package, folder) | more))
        words = ["-m", "loopwright.scoring", "--settings", settings, "--http", f"127.0.0.1:{port}"]
        return Launch([sys.executable, *words])

    often = name == "compiled"
    return Side(f"loopwright {name}", model, launch, "/score", itself, probability, starts_often=often)


def _settings(model: Model, package: Path, folder: Path) -> dict[str, Any]:
    return {
        "workload": "titanic",
        "environment": "benchmark",
        "revision": model.name,
        "package": str(package),
        "python": str(environment("model") / "python"),
        "inputs": _columns(model),
        "limits": LIMITS,
        "observations": {"folder": str(folder / "observations"), "rate": 1.0},
    }


def _columns(model: Model) -> list[dict[str, Any]]:
    return [
        {"name": name, "type": _TYPES[type(value)], "nullable": True} for name, value in model.rows[0].items()
    ]


@cache
def _packaged(model: Model) -> Path:
    """The model's package, as the loop makes it; compiled, or this fails and says why."""
    folder = KEPT / "packages" / model.name
    _remove(folder)
    files = folder / "files"
    files.mkdir(parents=True)
    (files / "baseline.json").write_bytes(bins.encode(_baseline(model)))
    told = {
        "workload": "titanic",
        "served": "model.joblib",
        "compile": "required",
        "model": str(shutil.copytree(model.folder, files / "model", ignore=shutil.ignore_patterns("mlflow"))),
        "code": str(PEERS / "azureml"),
        "lock": str(PEERS / "model" / "requirements.lock"),
        "python": str(environment("model") / "python"),
        "python_version": platform.python_version(),
        "baseline": str(files / "baseline.json"),
        "columns": _columns(model),
        "example": model.rows[0],
        "label": LABEL,
        "run": "benchmark",
        "data_version": "benchmark",
        "train": str(model.train),
        "test": str(model.test),
    }
    (folder / "input.json").write_text(json.dumps(told))
    words = [sys.executable, "-m", "loopwright.packaging.job", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"the package of the {model.name} was not made: {done.stderr}"
    print(f"  package of the {model.name}: {_compilation(folder)}", flush=True)
    return folder / "outputs" / "package"


def _compilation(folder: Path) -> str:
    """What packaging found of the compiled form."""
    found = json.loads((folder / "output.json").read_text())["compilation"]
    rows = found["held_out_rows"] + found["generated_rows"]
    return f"compiled; compared in {rows:,} rows, worst difference {found['worst_difference']}"


def _baseline(model: Model) -> bins.Baseline:
    with model.train.open(newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = {column["name"]: column["type"] for column in _columns(model)}
    values: dict[str, list[Any]] = {}
    for name in (*kinds, LABEL):
        told = [row[name] for row in rows]
        values[name] = told if kinds.get(name) == "string" else [float(value) for value in told]
    ways = {name: "categories" if kind == "string" else "numbers" for name, kind in kinds.items()}
    return bins.make(values, ways | {LABEL: "categories"}, LABEL)


def _remove(folder: Path) -> None:
    if folder.exists():
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)  # a package's files are read-only
        shutil.rmtree(folder)
