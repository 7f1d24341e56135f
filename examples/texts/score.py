"""Answer which topic a message has: init() is called once when a worker starts, run(data) for each request.

A request is {"channel": "mail", "text": "..."}, or several (a list of them, or {"data": [...]}); several get a list.
"""

import json
import os
from pathlib import Path

import joblib

model = None


def init():
    """Load the model from the folder that the server names."""
    global model
    model = joblib.load(Path(os.environ["MODEL_DIR"]) / "model.joblib")


def run(data):
    """Score one message or several; `data` is the body of the request."""
    request = json.loads(data)
    if isinstance(request, dict) and isinstance(request.get("data"), list):
        request = request["data"]
    return predict(request) if isinstance(request, list) else predict([request])[0]


def predict(messages):
    """The likeliest topic of each message, with the probabilities of all."""
    if not messages:
        return []
    found = model.predict_proba([message["text"] for message in messages])
    topics = model.classes_.tolist()
    return [
        {
            "topic": topics[shares.argmax()],
            "probabilities": {
                topic: round(float(share), 4) for topic, share in zip(topics, shares, strict=True)
            },
        }
        for shares in found
    ]
