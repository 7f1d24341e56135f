"""The same small model behind each kind of entry, for tests that ask whatever they like: a script, a model as it is, and compiled.

package, settings = ...; settings |= any_kind.pack("compiled", folder_of_package)
"""

from __future__ import annotations

import json
import shutil
import sys
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from compiled_rig import Rig

KINDS = ("script", "model", "compiled")
INPUTS: list[dict[str, Any]] = [
    {"name": "age", "type": "integer", "nullable": True},
    {"name": "fare", "type": "number"},
    {"name": "port", "type": "string", "nullable": True},
    {"name": "alone", "type": "boolean"},
]
OUTPUTS = [{"name": "prediction", "type": "integer"}, {"name": "probability", "type": "number"}]
ROW = {"age": 22, "fare": 7.25, "port": "S", "alone": True}
EXAMPLE = {"request": ROW, "response": {"prediction": 0, "probability": 0.25}}
SCRIPT = """
import json
def run(data):
    rows = json.loads(data)
    rows = rows.get("data", rows) if isinstance(rows, dict) else rows
    return [answer(row) for row in rows] if isinstance(rows, list) else answer(rows)
def answer(row):
    return {"prediction": int((row.get("age") or 0) > 40), "probability": 0.25, "port": row.get("port")}
"""


def told(kind: str) -> dict[str, Any]:
    """The settings by which it is served."""
    common: dict[str, Any] = {"inputs": INPUTS, "version": "w:3", "python": sys.executable}
    if kind == "script":
        return common | {"entry": "score.py"}
    served = {"entry": "", "outputs": OUTPUTS, "model": {"path": "m.joblib", "flavor": "sklearn"}}
    return common | served | ({"compiled": True, "python": ""} if kind == "compiled" else {})


def pack(kind: str, package: Path) -> None:
    """Put the model into a package's folder."""
    (package / "signature.json").write_text(json.dumps({"example": EXAMPLE}))
    if kind != "script":
        shutil.rmtree(package / "code", ignore_errors=True)
    if kind == "model":
        (package / "model").mkdir(exist_ok=True)
        joblib.dump(_fitted(), package / "model" / "m.joblib")
    if kind == "compiled":
        (package / "compiled").mkdir()
        names, types = [one["name"] for one in INPUTS], [one["type"] for one in INPUTS]
        Rig(_fitted(), names, types, list(ROW.values()), package / "compiled")


@lru_cache
def _fitted() -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    random = np.random.default_rng(0)
    ages = np.where(random.random(200) < 0.2, np.nan, random.integers(1, 80, 200))
    table = pd.DataFrame(
        {
            "age": ages,
            "fare": random.uniform(0, 100, 200),
            "port": random.choice(["S", "C", None], 200),
            "alone": random.random(200) < 0.5,
        }
    )
    columns = make_column_transformer(
        (SimpleImputer(), ["age", "fare"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["port"]),
        ("passthrough", ["alone"]),
    )
    labels = (table["fare"] + 10 * table["alone"] > 55).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_pipeline(columns, RandomForestClassifier(5, max_depth=4, random_state=0)).fit(
            table, labels
        )
