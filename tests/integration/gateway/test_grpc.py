"""gRPC through the gateway, on the port of all else, to a real replica's second socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from gateway_rig import Rig, route
from served import Served

from loopwright.scoring.protocols import grpc_messages

MESSAGES = grpc_messages.classes()
SET = "dev--w--grpc"
SCRIPT = "import json\ndef run(data):\n    return {'double': 2 * json.loads(data)['a']}\n"


@pytest.fixture(scope="module")
def replica(shared: Rig) -> Iterator[str]:
    """The path of its socket."""
    (shared.folder / "served").mkdir()
    served = Served(shared.folder / "served", SCRIPT, inputs=[{"name": "a", "type": "integer"}], grpc=True)
    yield served.socket
    assert served.stop() == 0


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
