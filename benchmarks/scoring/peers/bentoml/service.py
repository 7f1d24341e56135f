"""BentoML's service of a model, with its adaptive batching on; the model's folder is in BENCH_MODEL."""

import os
import typing as t
from pathlib import Path

import bentoml
import joblib
import numpy as np

COLUMNS = ["gender", "class", "embarked", "age", "fare", "sibsp", "parch"]


@bentoml.service(workers=1, traffic={"timeout": 30})
class Scorer:
    def __init__(self) -> None:
        self.model = joblib.load(Path(os.environ["BENCH_MODEL"]) / "model.joblib")

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=10000)
    def score(self, passengers: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
        rows = [[np.nan if one[name] is None else one[name] for name in COLUMNS] for one in passengers]
        probabilities = self.model.predict_proba(np.array(rows, dtype=object))[:, 1].tolist()
        return [{"prediction": int(p > 0.5), "probability": p} for p in probabilities]
