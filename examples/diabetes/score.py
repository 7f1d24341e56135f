"""Answer how far diabetes will have progressed: init() is called once when a worker starts, run(data) for each request.

A request is one patient (a JSON object), or several (a list of them, or {"data": [...]}); several get a list.
"""

import json
import os
from pathlib import Path

import joblib

model = None
columns = []


def init():
    """Load the model from the folder that the server names."""
    global model, columns
    saved = joblib.load(Path(os.environ["MODEL_DIR"]) / "model.joblib")
    model, columns = saved["model"], saved["columns"]


def run(data):
    """Score one patient or several; `data` is the body of the request."""
    request = json.loads(data)
    if isinstance(request, dict) and isinstance(request.get("data"), list):
        request = request["data"]
    return predict(request) if isinstance(request, list) else predict([request])[0]


def predict(patients):
    """One answer for each patient."""
    if not patients:
        return []
    rows = [[patient[name] for name in columns] for patient in patients]
    return [{"prediction": round(float(value), 1)} for value in model.predict(rows)]
