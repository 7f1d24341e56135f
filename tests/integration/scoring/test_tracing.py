"""Spans of a real replica, as a real receiver gets them by OTLP over HTTP."""

from __future__ import annotations

import gzip
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwright.scoring.logs import Log
from loopwright.scoring.settings import Settings
from loopwright.scoring.tracing import tracer

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SCRIPT = "def run(data):\n    if 'x' in data: raise ValueError\n    return 1\n"


class Receiver(ThreadingHTTPServer):
    """Takes what is exported."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[ExportTraceServiceRequest] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def spans(self) -> list[Any]:
        return [s for r in self.requests for a in r.resource_spans for b in a.scope_spans for s in b.spans]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        assert isinstance(self.server, Receiver)
        self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server
        server.shutdown()


def told(attributes: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in attributes}


def test_each_request_is_a_span_of_its_callers_trace(
    start: Callable[..., Any], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{receiver.server_port}")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=mine,team=a")
    replica = start(SCRIPT, inputs=[{"name": "a", "type": "string"}], version="w:3")
    unsampled = PARENT[:-1] + "0"
    first = replica.ask("POST", "/score", {"a": "b"}, {"traceparent": PARENT})
    replica.ask("POST", "/score", {"a": "b"}, {"traceparent": unsampled})
    replica.ask("POST", "/invocations", {"inputs": [["x"]]})
    assert replica.stop() == 0  # which sends what is left
    spans = {one.name: one for one in receiver.spans}
    assert set(spans) == {"POST /score", "POST /invocations"}
    assert len(receiver.spans) == 2
    span = spans["POST /score"]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (PARENT[3:35], PARENT[36:52])
    attributes = told(span.attributes)
    assert attributes["loopwright.request_id"] == first.headers["x-request-id"]
    assert (attributes["http.response.status_code"], attributes["loopwright.role"]) == (200, "test")
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 60e9
    assert spans["POST /invocations"].status.code == 2  # an error
    resource = told(receiver.requests[0].resource_spans[0].resource.attributes)
    assert (resource["service.name"], resource["service.version"], resource["team"]) == ("w", "mine", "a")


def test_a_receiver_that_is_not_there_costs_a_line_and_no_request(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    replica = start(SCRIPT)
    assert replica.score({"a": 1}).status == 200
    began = time.monotonic()
    assert replica.stop() == 0
    assert time.monotonic() - began < 5, "it ends no later for spans that cannot be sent"
    assert len(replica.events("traces-not-exported")) == 1


SETTINGS = Settings(workload="w", environment="e", revision="r", package="/p", entry="s.py")
AT = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": AT, "OTEL_SDK_DISABLED": "TRUE"}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": AT, "OTEL_TRACES_EXPORTER": "none"}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": AT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "the protocol 'grpc' is not offered"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": AT, "OTEL_TRACES_EXPORTER": "zipkin"}, "the exporter 'zipkin' is not"),
    ],
)  # fmt: skip
def test_nothing_is_exported_where_it_is_not_asked_for_or_cannot_be(
    variables: dict[str, str], said: str
) -> None:
    stream = io.StringIO()
    assert tracer(SETTINGS, variables, Log(stream)) is None
    lines = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert len(lines) == bool(said)
    assert all(said in line for line in lines)
