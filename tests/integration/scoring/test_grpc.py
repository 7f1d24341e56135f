"""A real replica asked over gRPC."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from waiting import until

from loopwright.scoring.protocols import grpc_messages

MESSAGES = grpc_messages.classes()
SCRIPT = """
    import json, os, time
    def run(data):
        rows = json.loads(data)
        if isinstance(rows, dict):
            return answer(rows)
        return [answer(row) for row in rows]
    def answer(row):
        while row["port"] == "slow" and not os.path.exists(os.environ["MODEL_DIR"] + "/go"): time.sleep(0.01)
        if row["port"] == "raise": raise ValueError("no such port")
        return {"text": row["port"], "score": (row["age"] or 0) / 8}
"""
INPUTS = [{"name": "age", "type": "integer", "nullable": True}, {"name": "port", "type": "string"}]


@pytest.fixture(scope="module")
def replica(start: Callable[..., Any]) -> Any:
    limits = {"max_body": 100_000, "bodies": 100_000, "timeout": 30.0}
    return start(SCRIPT, inputs=INPUTS, version="w:3", grpc=True, limits=limits)


Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ask(replica: Any) -> Iterator[Ask]:
    with grpc.insecure_channel(f"unix:{replica.socket}.grpc") as channel:

        def call(method: str, request: Any = None, **more: Any) -> Any:
            made = channel.unary_unary(
                f"/{grpc_messages.SERVICE}/{method}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=MESSAGES[f"{method}Response"].FromString,
            )
            return made(request or MESSAGES[f"{method}Request"](**more), timeout=20)

        yield call


def request(ports: list[str], raw: bool = False, **more: Any) -> Any:
    message = MESSAGES["ModelInferRequest"](**{"model_name": "w", "id": "mine"} | more)
    ages = message.inputs.add(name="age", datatype="INT64", shape=[len(ports)])
    given = message.inputs.add(name="port", datatype="BYTES", shape=[len(ports), 1])
    if raw:
        texts = [struct.pack("<I", len(one)) + one.encode() for one in ports]
        message.raw_input_contents.extend(
            [struct.pack(f"<{len(ports)}q", *[8] * len(ports)), b"".join(texts)]
        )
    else:
        ages.contents.int64_contents.extend([8] * len(ports))
        given.contents.bytes_contents.extend(one.encode() for one in ports)
    return message


def test_health_and_metadata(ask: Ask) -> None:
    assert ask("ServerLive").live
    assert ask("ServerReady").ready
    assert ask("ModelReady", name="w", version="3").ready
    assert ask("ServerMetadata").name == "loopwright"
    model = ask("ModelMetadata", name="w")
    assert ([one.datatype for one in model.inputs], list(model.versions)) == (["INT64", "BYTES"], ["3"])


def test_contents_are_answered_by_contents_and_raw_by_raw(ask: Ask) -> None:
    typed = ask("ModelInfer", request(["S", "C"]))
    assert (typed.model_version, typed.id) == ("3", "mine")
    assert list(typed.outputs[0].contents.bytes_contents) == [b"S", b"C"]
    assert list(typed.outputs[1].contents.fp64_contents) == [1.0, 1.0]
    raw = ask("ModelInfer", request(["S", "C"], raw=True))
    assert struct.unpack("<2d", raw.raw_output_contents[1]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("message", "code", "sentence"),
    [
        (request(["S"], model_name="x"), "NOT_FOUND", "There is no model 'x' here, expected 'w'."),
        (request(["S"], model_version="4"), "NOT_FOUND", "has no version '4' here"),
        (MESSAGES["ModelInferRequest"](model_name="w"), "INVALID_ARGUMENT", "field 'inputs' is empty"),
        (request(["raise"]), "INTERNAL", "the replica's log explains the id. Its id is"),
        (request(["S"]), "RESOURCE_EXHAUSTED", "larger than max"),
    ],
)
def test_what_cannot_be_answered_has_a_code_and_a_sentence(
    replica: Any, start: Callable[..., Any], ask: Ask, message: Any, code: str, sentence: str
) -> None:
    if code == "RESOURCE_EXHAUSTED":
        message.inputs[1].contents.bytes_contents[0] = b"S" * 100_000
    with pytest.raises(grpc.RpcError) as refused:
        ask("ModelInfer", message)
    assert refused.value.code().name == code
    assert sentence in refused.value.details()


def test_calls_are_counted_with_the_requests(replica: Any, ask: Ask) -> None:
    before = replica.metric("loopwright_requests_total{")
    ask("ModelInfer", request(["S"]))
    assert replica.metric("loopwright_requests_total{") == before + 1


def test_messages_and_bodies_share_one_budget_in_bytes(replica: Any, ask: Ask) -> None:
    large = request(["S" * 60_000])
    with ThreadPoolExecutor(1) as pool:
        over_http = pool.submit(replica.score, {"age": 1, "port": "slow", "more": "x" * 60_000})
        until(lambda: replica.metric("loopwright_held_bytes{") > 60_000)
        with pytest.raises(grpc.RpcError, match="holds 60") as refused:
            ask("ModelInfer", large)
        assert refused.value.code().name == "UNAVAILABLE"
        (replica.folder / "package/model/go").touch()
        assert over_http.result().status == 200
    until(lambda: replica.metric("loopwright_held_bytes{") == 0)
    assert ask("ModelInfer", large).model_name == "w"


def test_a_message_that_is_none_is_said_to_be(replica: Any) -> None:
    with grpc.insecure_channel(f"unix:{replica.socket}.grpc") as channel:
        made = channel.unary_unary(f"/{grpc_messages.SERVICE}/ModelInfer")
        with pytest.raises(grpc.RpcError, match="not a ModelInferRequest") as refused:
            made(b"\xff\xff", timeout=20)
    assert refused.value.code().name == "INVALID_ARGUMENT"


def test_what_is_told_to_grpc_reaches_no_user_code(replica: Any, ask: Ask) -> None:
    [worker] = replica.workers()
    names = {name for name in worker.environ() if name.startswith("GRPC_")}
    assert names <= {*os.environ}  # grpc sets one in this process too
    worker.kill()
    until(lambda: len({one.pid for one in replica.workers()} - {worker.pid}) == 1)
    until(lambda: ask("ServerReady").ready)
    assert "fork" not in replica.log()


def test_only_the_owner_may_use_the_socket(replica: Any) -> None:
    mode = replica.socket.with_name("r.sock.grpc").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_call_under_way_is_answered_when_the_replica_is_told_to_stop(start: Callable[..., Any]) -> None:
    slow = "import time\ndef run(data):\n    print('began', flush=True)\n    time.sleep(0.5)\n    return 1\n"
    replica = start(slow, inputs=[{"name": "a", "type": "integer"}], grpc=True)
    message = MESSAGES["ModelInferRequest"](model_name="w")
    message.inputs.add(name="a", datatype="INT64", shape=[1]).contents.int64_contents.append(1)
    with grpc.insecure_channel(f"unix:{replica.socket}.grpc") as channel:
        infer = channel.unary_unary(f"/{grpc_messages.SERVICE}/ModelInfer")
        under_way = infer.future(message.SerializeToString(), timeout=20)
        while "began" not in replica.log():
            assert not under_way.done()
        assert replica.stop() == 0
        answer = MESSAGES["ModelInferResponse"].FromString(under_way.result())
    assert list(answer.outputs[0].contents.int64_contents) == [1]


_HELD = """
    import json, os, time
    def hold(row):
        print("began", row["a"], flush=True)
        while not os.path.exists("go"):
            time.sleep(0.01)
        return row["a"]
"""
_ONE = "    def run(data): return hold(json.loads(data))\n"
_BATCH = "    def run_batch(rows: list): return [hold(row) for row in rows]\n"


@pytest.mark.parametrize("how", [_ONE, _BATCH])
def test_a_call_whose_client_goes_away_is_counted_and_dropped(start: Callable[..., Any], how: str) -> None:
    limits = {"timeout": 30.0, "queue_wait": 30.0, "concurrency": 1}
    replica = start(_HELD + how, inputs=[{"name": "a", "type": "integer"}], grpc=True, limits=limits)

    def stats() -> tuple[int, int]:
        told = replica.ask("GET", "/stats").json
        return told["in_flight"], told["queued"]

    def cancelled() -> int:
        lines = replica.ask("GET", "/metrics").body.decode().splitlines()
        counts = [
            line.split()[-1]
            for line in lines
            if line.startswith("loopwright_requests_total") and '"499"' in line
        ]
        return int(counts[0]) if counts else 0

    with grpc.insecure_channel(f"unix:{replica.socket}.grpc") as channel:
        calls = [_future(channel, 1)]
        until(lambda: "began 1" in replica.log())
        calls.append(_future(channel, 2))
        until(lambda: stats() == (1, 1))
        for number in (1, 0):  # the one that waits, then the one that is being scored
            calls[number].cancel()
            until(lambda number=number: cancelled() == 2 - number)
            until(lambda: stats()[1] == 0)
        (replica.code / "go").touch()
        assert _future(channel, 3).result()
        until(lambda: stats() == (0, 0))
    assert "began 3" in replica.log()
    assert "began 2" not in replica.log()


def _future(channel: grpc.Channel, a: int) -> Any:
    message = MESSAGES["ModelInferRequest"](model_name="w")
    message.inputs.add(name="a", datatype="INT64", shape=[1]).contents.int64_contents.append(a)
    infer = channel.unary_unary(f"/{grpc_messages.SERVICE}/ModelInfer")
    return infer.future(message.SerializeToString(), timeout=25)
