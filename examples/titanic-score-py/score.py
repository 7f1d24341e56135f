"""Answer who survives: init() is called once when a worker starts, run(data) for each request.

A request is one passenger (a JSON object), or several (a list of them, or {"data": [...]}); several get a list.
"""

import json
import os
from pathlib import Path

import joblib
import numpy as np

model = None
columns = []


def init():
    """Load the model from the folder that the server names."""
    global model, columns
    saved = joblib.load(Path(os.environ["MODEL_DIR"]) / "model.joblib")
    model, columns = saved["model"], saved["columns"]


def run(data):
    """Score one passenger or several; `data` is the body of the request."""
    request = json.loads(data)
    if isinstance(request, dict) and isinstance(request.get("data"), list):
        request = request["data"]
    return predict(request) if isinstance(request, list) else predict([request])[0]


def predict(passengers):
    """One answer for each passenger."""
    if not passengers:
        return []
    rows = [[missing(passenger[name]) for name in columns] for passenger in passengers]
    probabilities = model.predict_proba(np.array(rows, dtype=object))[:, 1]
    return [{"prediction": int(p > 0.5), "probability": round(float(p), 4)} for p in probabilities]


def missing(value):
    """JSON says null where the model expects NaN."""
    return np.nan if value is None else value
