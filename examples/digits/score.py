"""Answer which digit an image shows."""

import json
import os
from pathlib import Path

import torch
from network import PIXELS, Network


def init():
    global model
    torch.set_num_threads(1)
    model = Network()
    model.load_state_dict(torch.load(Path(os.environ["MODEL_DIR"], "model.pt"), weights_only=True))
    model.eval()


def run(data):
    request = json.loads(data)
    rows = request if isinstance(request, list) else [request]
    pixels = torch.tensor([[float(row[name]) for name in PIXELS] for row in rows])
    with torch.inference_mode():
        sure, digit = torch.softmax(model(pixels), dim=1).max(dim=1)
    answers = [
        {"prediction": int(d), "probability": round(float(p), 6)} for d, p in zip(digit, sure, strict=True)
    ]
    return answers if isinstance(request, list) else answers[0]
