"""LitServe's server of a model, with its batching on: one API process, one worker; the model's folder and the port are given."""

import sys
from pathlib import Path

import joblib
import litserve
import numpy as np

COLUMNS = ["gender", "class", "embarked", "age", "fare", "sibsp", "parch"]


class Scorer(litserve.LitAPI):
    def setup(self, device):
        self.model = joblib.load(Path(sys.argv[1]) / "model.joblib")

    def decode_request(self, request):
        return [np.nan if request[name] is None else request[name] for name in COLUMNS]

    def batch(self, inputs):
        return np.array(inputs, dtype=object)

    def predict(self, x):
        return self.model.predict_proba(x)[:, 1]

    def unbatch(self, output):
        return output.tolist()

    def encode_response(self, output):
        return {"prediction": int(output > 0.5), "probability": output}


if __name__ == "__main__":
    api = Scorer(max_batch_size=64, batch_timeout=0.01)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[2]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
    )
