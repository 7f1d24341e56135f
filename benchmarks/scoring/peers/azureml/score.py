"""A plain scoring script as Azure ML takes it, one request at a time; Loopwright serves this very file too."""

import json
import os
from pathlib import Path

import joblib
import numpy as np

COLUMNS = ["gender", "class", "embarked", "age", "fare", "sibsp", "parch"]
model = None


def init():
    """Load the model from the folder that the server names."""
    global model
    model = joblib.load(Path(os.environ["AZUREML_MODEL_DIR"]) / "model.joblib")


def run(data):
    """Score one passenger."""
    passenger = json.loads(data)
    row = [np.nan if passenger[name] is None else passenger[name] for name in COLUMNS]
    probability = float(model.predict_proba(np.array([row], dtype=object))[0, 1])
    return {"prediction": int(probability > 0.5), "probability": probability}
