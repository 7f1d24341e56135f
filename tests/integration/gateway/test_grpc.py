"""gRPC through the gateway, on the port of all else, to a real replica's second socket."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from gateway_rig import Rig, route

from loopwright.scoring.protocols import grpc_messages

MESSAGES = grpc_messages.classes()
SET = "dev--w--grpc"
SCRIPT = "import json\ndef run(data):\n    return {'double': 2 * json.loads(data)['a']}\n"


@pytest.fixture(scope="module")
def replica(shared: Rig) -> Iterator[str]:
    """The path of its socket."""
    package = shared.folder / "package"
    (package / "code").mkdir(parents=True)
    (package / "code" / "score.py").write_text(SCRIPT)
    settings = {
        "workload": "w", "environment": "dev", "revision": "r", "package": str(package), "entry": "score.py",
        "python": sys.executable, "inputs": [{"name": "a", "type": "integer"}], "grpc": True,
    }  # fmt: skip
    (shared.folder / "serving.json").write_text(json.dumps(settings))
    socket = shared.folder / "g.sock"
    command = [sys.executable, "-m", "loopwright.scoring", "--settings", str(shared.folder / "serving.json")]
    process = subprocess.Popen([*command, "--socket", str(socket)])
    wait_for(lambda: Path(f"{socket}.grpc").exists() and is_ready(f"unix:{socket}.grpc"))
    yield str(socket)
    process.terminate()
    assert process.wait(20) == 0


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_ready(target: str) -> bool:
    with grpc.insecure_channel(target) as channel:
        call = channel.unary_unary(f"/{grpc_messages.SERVICE}/ServerReady")
        return bool(MESSAGES["ServerReadyResponse"].FromString(call(b"", timeout=5)).ready)


@pytest.fixture
def serving(rig: Rig, replica: str) -> Rig:
    asked = route(SET, keys={"alice": "key"}, grpc=True)
    rig.want(asked, route(workload="other", grpc=False), endpoints={**rig.endpoints, SET: [replica]})
    return rig


def infer(port: int, *metadata: tuple[str, str], authority: str = "") -> Any:
    request = MESSAGES["ModelInferRequest"](model_name="w")
    request.inputs.add(name="a", datatype="INT64", shape=[1]).contents.int64_contents.append(21)
    options = [("grpc.default_authority", authority)] if authority else []
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        call = channel.unary_unary(f"/{grpc_messages.SERVICE}/ModelInfer")
        answer = call(request.SerializeToString(), metadata=metadata, timeout=10)
    return MESSAGES["ModelInferResponse"].FromString(answer).outputs[0].contents.int64_contents[0]


KEY = ("authorization", "Bearer key")


def test_metadata_or_the_authority_names_the_endpoint(serving: Rig) -> None:
    assert infer(serving.port, KEY, ("x-loopwright-endpoint", "dev/w")) == 42
    assert infer(serving.port, KEY, authority="w.dev") == 42


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ([("x-loopwright-endpoint", "dev/w")], "UNAUTHENTICATED"),
        ([("x-loopwright-endpoint", "dev/w"), ("authorization", "Bearer no")], "UNAUTHENTICATED"),
        ([KEY], "UNIMPLEMENTED"),
        ([KEY, ("x-loopwright-endpoint", "dev/other")], "UNIMPLEMENTED"),
    ],
)
def test_without_key_or_endpoint_nothing_is_asked(
    serving: Rig, metadata: list[tuple[str, str]], code: str
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        infer(serving.port, *metadata)
    assert refused.value.code().name == code
    assert "error" in refused.value.details()


def test_a_replica_that_leaves_is_out_of_both_its_clusters(serving: Rig, replica: str) -> None:
    assert not serving.gateway.drained(SET, replica)
    serving.want(route())
    serving.until(lambda: serving.gateway.drained(SET, replica), within=20)
