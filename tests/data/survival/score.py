"""Answer who survives, by gender and class."""

import json
import os
from pathlib import Path

rates = {}


def init():
    rates.update(json.loads((Path(os.environ["MODEL_DIR"]) / "model.json").read_text()))


def run(data):
    rows = json.loads(data)
    if isinstance(rows, dict) and isinstance(rows.get("data"), list):
        rows = rows["data"]
    return [answer(row) for row in rows] if isinstance(rows, list) else answer(rows)


def answer(row):
    rate = rates.get(f"{row['gender']} {row['class']}", 0.0)
    return {"prediction": int(rate > 0.5), "probability": round(rate, 4)}
