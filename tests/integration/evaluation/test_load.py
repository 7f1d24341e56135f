import time

import pytest

from loopwright.evaluation.load import Load, run


def load(endpoint, path, **changes):
    return run(
        Load(
            **{"url": endpoint.url + path, "bodies": [b"1"], "concurrency": 4, "requests": 12, "timeout": 5.0}
            | changes
        )
    )


def test_good_answers_are_successes(endpoint):
    result = load(endpoint, "/ok")
    assert (result.requests, result.failures, result.error_rate) == (12, 0, 0.0)
    assert len(result.latencies) == 12
    assert result.throughput == pytest.approx(12 / result.duration)
    assert 0.002 <= result.latency()["p50"] <= result.latency()["max"] <= result.duration


@pytest.mark.parametrize(
    ("path", "kind", "example"),
    [
        ("/broken", "status 500", '{"prediction": 1, "probability": 0.7}'),
        ("/moved", "status 302", "{}"),
        ("/html", "unparsable", "<html>1</html>"),
        ("/empty", "unparsable", "an empty body"),
        ("/cut", "connection", "ClientPayloadError"),
        ("/nothing", "connection", "ServerDisconnectedError"),
    ],
)
def test_anything_else_is_a_failure_of_its_kind(endpoint, path, kind, example):
    result = load(endpoint, path)
    assert (result.requests, result.failures) == (12, 12)
    assert result.failures_by_kind == {kind: 12}
    assert example in result.examples[kind]
    assert result.throughput == 0.0


def test_an_answer_that_never_comes_is_a_timeout_and_counts_with_its_time(endpoint):
    result = load(endpoint, "/hang", requests=4, timeout=0.2)
    assert result.failures_by_kind == {"timeout": 4}
    assert min(result.latencies) >= 0.19


def test_nobody_listening_is_a_connection_failure():
    result = run(Load(url="http://127.0.0.1:1/", bodies=[b"1"], concurrency=2, requests=5))
    assert result.failures_by_kind == {"connection": 5}


def test_clients_keep_their_connections_and_are_as_many_as_asked(endpoint):
    load(endpoint, "/ok", requests=200, concurrency=8)
    assert endpoint.connections == 8
    assert endpoint.most_at_once == 8


def test_bodies_are_sent_in_turn_exactly_as_often_as_asked(endpoint):
    load(endpoint, "/ok", bodies=[b"1", b"2", b"3"], requests=7)
    assert sorted(endpoint.bodies) == [b"1", b"1", b"1", b"2", b"2", b"3", b"3"]


def test_a_load_can_end_by_time(endpoint):
    began = time.monotonic()
    result = load(endpoint, "/ok", requests=None, duration=0.3)
    assert 0.3 <= time.monotonic() - began < 5
    assert result.requests == len(endpoint.bodies) > 4


def test_proxies_of_the_environment_are_not_used(endpoint, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert load(endpoint, "/ok").failures == 0
