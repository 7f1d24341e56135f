"""A replica killed under gRPC load fails no call while another one is there."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from gateway_rig import Rig, route
from served import Served
from waiting import until

from loopwright.scoring.protocols import grpc_messages

pytestmark = pytest.mark.chaos
SET = "dev--w--grpc"
SCRIPT = "import json, time\ndef run(data):\n    time.sleep(0.002)\n    return json.loads(data)['a']\n"
MESSAGES = grpc_messages.classes()
METADATA = (("x-loopwright-endpoint", "dev/w"),)


@pytest.fixture
def served() -> Iterator[tuple[Rig, list[Served]]]:
    with tempfile.TemporaryDirectory(prefix="gk-") as folder:
        rig = Rig(Path(folder))
        replicas = []
        for name in ("one", "two"):
            (Path(folder) / name).mkdir()
            inputs = [{"name": "a", "type": "integer"}]
            replicas.append(Served(Path(folder) / name, SCRIPT, inputs=inputs, grpc=True))
        sockets = [one.socket for one in replicas]
        rig.want(route(SET, grpc=True), endpoints={**rig.endpoints, SET: sockets})
        yield rig, replicas
        rig.close()
        for replica in replicas:
            replica.stop()


def test_no_call_fails_when_one_of_two_replicas_is_killed(served: tuple[Rig, list[Served]]) -> None:
    rig, replicas = served
    outcomes: Counter[str] = Counter()
    over = threading.Event()
    request = MESSAGES["ModelInferRequest"](model_name="w")
    request.inputs.add(name="a", datatype="INT64", shape=[1]).contents.int64_contents.append(7)
    content = request.SerializeToString()

    def ask() -> None:
        with grpc.insecure_channel(
            f"127.0.0.1:{rig.port}", [("grpc.use_local_subchannel_pool", 1)]
        ) as channel:
            infer = channel.unary_unary(f"/{grpc_messages.SERVICE}/ModelInfer")
            while not over.is_set():
                try:
                    infer(content, metadata=METADATA, timeout=20)
                    outcomes["answered"] += 1
                except grpc.RpcError as error:
                    outcomes[str(error)] += 1

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    until(lambda: outcomes["answered"] > 200)
    replicas[0].process.kill()
    so_far = outcomes["answered"]
    until(lambda: outcomes["answered"] > so_far + 300)
    over.set()
    for client in clients:
        client.join(30)
    assert set(outcomes) == {"answered"}
