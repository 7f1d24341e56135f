"""No request, whatever it holds, is answered by a failure, by invalid JSON, or not at all; nor does it cost memory for good."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import any_bodies
import any_kind
import grpc
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loopwright.scoring.protocols import grpc_messages

MESSAGES = grpc_messages.classes()
EXAMPLES = int(os.environ.get("LOOPWRIGHT_FUZZ", "150"))  # of each kind of entry; half as many calls
GROWTH = 40e6  # bytes: a leak of a few KB for each request shows when LOOPWRIGHT_FUZZ is thousands
LIMITS = {"timeout": 10.0, "concurrency": 16, "queue": 64}
FREE = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)
EAGERLY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=FREE)
# What may be asked of a model with a right request, and of which a wrong one is refused: never anything else.
REFUSED = ("INVALID_ARGUMENT", "NOT_FOUND")


class Door(NamedTuple):
    """A replica with the connections to it that all requests take."""

    kind: str
    replica: Any
    http: Any
    call: Callable[..., Any]


@pytest.fixture(scope="module", params=any_kind.KINDS)
def door(
    request: pytest.FixtureRequest, start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    observed = {"folder": str(tmp_path_factory.mktemp("observed"))}
    replica = start(
        any_kind.SCRIPT, prepare=lambda package: any_kind.pack(request.param, package), grpc=True, limits=LIMITS,
        observations=observed, **any_kind.told(request.param),
    )  # fmt: skip
    http = replica.connect()
    with grpc.insecure_channel(f"unix:{replica.socket}.grpc") as channel:
        yield Door(request.param, replica, http, channel.unary_unary(f"/{grpc_messages.SERVICE}/ModelInfer"))
    http.close()
    assert "request-failed" not in replica.log()
    assert "score-failed" not in replica.log()
    assert replica.stop() == 0


def resident(replica: Any) -> int:
    """Bytes of the front's memory."""
    return int(psutil.Process(replica.process.pid).memory_info().rss)


def test_every_request_is_answered_and_none_by_a_failure(door: Door) -> None:
    pids, before = {one.pid for one in door.replica.workers()}, resident(door.replica)
    found: set[int] = set()

    @EAGERLY
    @given(any_bodies.requests)
    def ask(asked: any_bodies.Asked) -> None:
        headers = {"content-type": asked.kind}
        headers |= {} if asked.length is None else {"inference-header-content-length": asked.length}
        door.http.request(asked.method, asked.path, asked.body, headers)
        answer = door.http.getresponse()
        content, told = answer.read(), answer.headers
        assert answer.status < 500, content
        found.add(answer.status)
        end = int(told.get("inference-header-content-length", len(content)))
        assert json.loads(content[:end], parse_constant=pytest.fail) is not None

    ask()
    assert {200, 400, 422} <= found  # it does get to the model
    assert {one.pid for one in door.replica.workers()} == pids
    assert resident(door.replica) - before < GROWTH


def test_every_call_is_answered_and_none_by_a_failure(door: Door) -> None:
    before = resident(door.replica)
    found: set[str] = set()

    @settings(EAGERLY, max_examples=EXAMPLES // 2)
    @given(any_bodies.messages(MESSAGES) | st.binary(max_size=60))
    def ask(message: Any) -> None:
        content = message if isinstance(message, bytes) else message.SerializeToString()
        try:
            MESSAGES["ModelInferResponse"].FromString(door.call(content, timeout=20))
        except grpc.RpcError as error:
            found.add(error.code().name)
            assert error.code().name in REFUSED, error.details()  # noqa: PT017
        else:
            found.add("OK")

    ask()
    assert {"OK", "INVALID_ARGUMENT"} <= found
    assert resident(door.replica) - before < GROWTH
