"""What is compared: for each side how it is started, how it is asked for one passenger, and what its answer means.

Every side gets the same passengers and gives the probability of survival; each is asked in its own native way. Where a
peer can batch, it does, with the settings that gave it the most here (docs/decisions says which were tried).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from environments import KEPT, PEERS, environment
from models import Model, saved_for_mlflow
from running import Server, free_port

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Launch:
    """A command that serves until it is ended."""

    command: Sequence[str | Path]
    cwd: Path = PEERS
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Side:
    """One server with one model."""

    name: str
    model: Model
    launch: Callable[[int], Launch]  # by port
    path: str
    body: Callable[[Row], Any]
    probability: Callable[[Any], float] | None  # of an answer; none for the echo
    starts_often: bool = False  # its start has a budget, so it is measured as often as its speed

    @property
    def bodies(self) -> list[bytes]:
        """The load's bodies, one for each row."""
        return [json.dumps(self.body(row), separators=(",", ":")).encode() for row in self.model.rows]

    def server(self, port: int) -> Server:
        """The server, not yet started."""
        launch = self.launch(port)
        log = KEPT / "logs" / f"{self.name}-{self.model.name}.log"
        return Server([str(word) for word in launch.command], port, log, launch.cwd, launch.variables)

    def wrong(self, answers: Sequence[Any], tolerance: float = 1e-5) -> list[str]:
        """Which of the answers to `bodies` are not the model's own."""
        if self.probability is None:
            return []
        found = [self.probability(answer) for answer in answers]
        told = zip(self.model.rows, found, self.model.answers, strict=True)
        return [f"{row}: {is_}, not {should}" for row, is_, should in told if abs(is_ - should) > tolerance]


def itself(row: Row) -> Row:
    return row


def probability(answer: Any) -> float:
    return float(answer["probability"])


def echo(model: Model) -> Side:
    """The limit: Granian, which is written in Rust, alone with an application that gives back what it gets."""
    programs = environment("echo")
    server = PEERS / "echo" / "server.py"
    return Side(
        "echo",
        model,
        lambda port: Launch([programs / "python", server, str(port)]),
        "/score",
        itself,
        None,
    )


def azureml(model: Model) -> Side:
    """azureml-inference-server-http: one gunicorn worker; it knows no batching."""
    programs = environment("azureml")

    def launch(port: int) -> Launch:
        words = ["--model_dir", model.folder, "--port", str(port), "--health_port", str(port)]
        script = PEERS / "azureml" / "score.py"
        return Launch([programs / "azmlinfsrv", "--entry_script", script, *words])

    return Side("azureml", model, launch, "/score", itself, probability)


def litserve(model: Model) -> Side:
    """LitServe: one API process and one worker, batching on."""
    programs = environment("litserve")
    server = PEERS / "litserve" / "server.py"
    return Side(
        "litserve",
        model,
        lambda port: Launch([programs / "python", server, model.folder, str(port)]),
        "/predict",
        itself,
        probability,
    )


def bentoml(model: Model) -> Side:
    """BentoML: one worker, adaptive batching on."""
    programs = environment("bentoml")
    variables = {
        "BENCH_MODEL": str(model.folder),
        "BENTOML_DO_NOT_TRACK": "true",
        "BENTOML_HOME": str(KEPT / "bentoml"),
    }

    def launch(port: int) -> Launch:
        words = ["serve", "service:Scorer", "--host", "127.0.0.1", "--port", str(port)]
        return Launch([programs / "bentoml", *words], PEERS / "bentoml", variables)

    return Side(
        "bentoml",
        model,
        launch,
        "/score",
        lambda row: {"passengers": [row]},
        lambda answer: float(answer[0]["probability"]),
    )


def mlserver(model: Model) -> Side:
    """MLServer with its own scikit-learn runtime: one process (its parallel workers fail with today's uvloop), batching on."""
    programs = environment("mlserver")

    def launch(port: int) -> Launch:
        folder = KEPT / "mlserver" / model.name
        folder.mkdir(parents=True, exist_ok=True)
        server = {
            "debug": False,
            "host": "127.0.0.1",
            "http_port": port,
            "grpc_port": free_port(),
            "metrics_port": free_port(),
            "parallel_workers": 0,
        }
        served = {
            "name": "titanic",
            "implementation": "mlserver_sklearn.SKLearnModel",
            "max_batch_size": 64,
            "max_batch_time": 0.005,
            "parameters": {"uri": str(model.folder / "model.joblib"), "content_type": "pd"},
        }
        (folder / "settings.json").write_text(json.dumps(server))
        (folder / "model-settings.json").write_text(json.dumps(served))
        return Launch([programs / "mlserver", "start", folder])

    return Side(
        "mlserver",
        model,
        launch,
        "/v2/models/titanic/infer",
        _open_inference,
        lambda answer: float(answer["outputs"][0]["data"][1]),
    )


def mlflow(model: Model) -> Side:
    """`mlflow models serve`: one uvicorn worker; it knows no batching."""
    programs = environment("mlflow")

    def launch(port: int) -> Launch:
        words = ["--port", str(port), "--env-manager", "local", "--workers", "1"]
        path = f"{programs}:{Path(shutil.which('sh') or '/bin/sh').parent}"
        saved = saved_for_mlflow(model)
        return Launch([programs / "mlflow", "models", "serve", "-m", saved, *words], variables={"PATH": path})

    return Side(
        "mlflow",
        model,
        launch,
        "/invocations",
        lambda row: {"dataframe_split": {"columns": list(row), "data": [list(row.values())]}},
        lambda answer: float(answer["predictions"][0][1]),
    )


def _open_inference(row: Row) -> Any:
    """A row in the Open Inference Protocol, as MLServer takes a data frame."""

    def tensor(name: str, value: Any) -> dict[str, Any]:
        if isinstance(value, str):
            more = {"datatype": "BYTES", "parameters": {"content_type": "str"}}
        else:
            more = {"datatype": "FP64" if isinstance(value, float) else "INT64"}
        return {"name": name, "shape": [1, 1], "data": [value], **more}

    return {
        "inputs": [tensor(name, value) for name, value in row.items()],
        "outputs": [{"name": "predict_proba"}],
    }
