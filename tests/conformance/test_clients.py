"""Clients that we did not write work against an endpoint: KServe's, Triton's and MLflow's."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client_environment import CLIENTS, client_environment
from gateway_rig import Rig, route
from msgspec.structs import replace
from served import Served

KEY = "key-of-clients"
SET = "dev--w--served"
SCRIPT = """
    import json
    def run(data):
        rows = json.loads(data)
        rows = rows.get("data", rows) if isinstance(rows, dict) else rows
        return [answer(row) for row in rows] if isinstance(rows, list) else answer(rows)
    def answer(row):
        age = row.get("age") or 0
        return {"score": age / 8, "text": row["port"], "old": age > 40}
"""
INPUTS = [{"name": "age", "type": "integer", "nullable": True}, {"name": "port", "type": "string"}]
EXAMPLE = {"request": {"age": 22, "port": "S"}, "response": {"score": 2.75, "text": "S", "old": False}}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the gateway listens, with dev/w for whoever has the key, and dev/open for all."""
    with tempfile.TemporaryDirectory(prefix="cl-") as folder:
        rig = Rig(Path(folder))
        (Path(folder) / "w").mkdir()
        limits = {"max_body": 1_000_000, "concurrency": 16, "queue": 64}
        settings = {"inputs": INPUTS, "version": "w:3", "grpc": True, "limits": limits}
        served = Served(Path(folder) / "w", SCRIPT, EXAMPLE, **settings)
        routes = [
            route(SET, keys={"clients": KEY}, grpc=True),
            route(SET, workload="open"),
            replace(route(SET), environment="endpoints"),
        ]
        rig.want(*routes, endpoints={**rig.endpoints, SET: [served.socket]})
        yield rig.port
        rig.close()
        assert served.stop() == 0
        assert "Traceback" not in served.log.read_text()


@pytest.fixture(scope="module")
def programs() -> Path:
    return client_environment()


def told(programs: Path, script: str, port: int) -> Any:
    command = [str(programs / "python"), str(CLIENTS / script), str(port), KEY]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_kserves_clients(programs: Path, port: int) -> None:
    found = told(programs, "kserve_client.py", port)
    outputs = {"score": [2.75, 6.25], "text": ["S", "C"], "old": [False, True]}
    for protocol, plain, binary in (("rest", "json", "binary"), ("grpc", "typed", "raw")):
        got = found[protocol]
        assert (got["live"], got["ready"], got["model"]) == (True, True, True)
        assert (got[plain]["model"], got[plain]["id"], got[plain]["outputs"]) == ("w", "mine", outputs)
        assert got[binary]["outputs"] == {name: outputs[name] for name in ("score", "text")}
        assert "field 'port' is missing, expected a string" in got["refused"]


def test_tritons_clients(programs: Path, port: int) -> None:
    found = told(programs, "triton_client.py", port)
    outputs = {"score": [2.75, 0.0], "text": ["S", "é"], "old": [False, False]}
    for protocol, missing, wrong in (("rest", "404", "422"), ("grpc", "NOT_FOUND", "INVALID_ARGUMENT")):
        got = found[protocol]
        assert (got["live"], got["ready"], got["model"]) == (True, True, True)
        assert (got["default"], got["one"]) == (outputs, {"score": [2.75, 0.0]})
        assert got["unknown"].split(":")[0].endswith(missing)
        assert got["wrong"].split(":")[0].endswith(wrong)
        assert "field 'port' is missing" in got["wrong"]
        assert [one["datatype"] for one in got["metadata"]["inputs"]] == ["INT64", "BYTES"]
        assert [one["datatype"] for one in got["metadata"]["outputs"]] == ["FP64", "BYTES", "BOOL"]
        assert got["server"]["name"] == "loopwright"
    assert found["rest"]["json"] == {"score": [2.75, 0.0], "text": ["S", "é"]}


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # at MLflow's import
def test_mlflows_client(port: int) -> None:
    import pandas as pd
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    client = ScoringServerClient("127.0.0.1", f"{port}/dev/open")
    client.wait_server_ready(timeout=10)
    assert client.get_version()
    frame = pd.DataFrame({"port": ["S", "C"], "age": [22, 50]})
    expected = [{"score": 2.75, "text": "S", "old": False}, {"score": 6.25, "text": "C", "old": True}]
    assert client.invoke(frame).get_predictions().to_dict("records") == expected
    assert client.invoke([[22, "S"], [50, "C"]])["predictions"] == expected
    with pytest.raises(Exception, match="field 'port' is missing"):
        client.invoke(frame[["age"]])


@pytest.mark.parametrize(
    ("target", "endpoint"), [("/dev", "w"), ("/dev", "open"), ("", "w")]
)  # the last: an environment called `endpoints`, as it had to be
def test_mlflows_deployments(port: int, monkeypatch: pytest.MonkeyPatch, target: str, endpoint: str) -> None:
    """This client writes /endpoints/ before what it asks; it sends the token that MLflow is told as a key."""
    from mlflow.deployments import get_deploy_client

    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", KEY)
    client = get_deploy_client(f"http://127.0.0.1:{port}{target}")
    answer = client.predict(endpoint=endpoint, inputs={"dataframe_records": [{"age": 22, "port": "S"}]})
    assert answer["predictions"] == [{"score": 2.75, "text": "S", "old": False}]
