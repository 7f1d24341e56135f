"""A real replica, asked over its socket: answers, refusals and what each leaves in log and metrics."""

from __future__ import annotations

import stat
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_the_plain_contract(plain: Any) -> None:
    answer = plain.score({"a": "\u00e9"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["got"] == '{"a": "\\u00e9"}'
    assert "init of user code" in plain.log()


def test_user_code_finds_its_surroundings(plain: Any) -> None:
    code, model = str(plain.code), str(plain.folder / "package" / "model")
    assert plain.score({"do": "where"}).json == [code, code, model, model, "3", "3", 1]


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        ("nan", {"score": None, "rest": [1.5, None]}),
        ("array", {"predictions": [1, [2.5, None]]}),
        ("text", "text"),
    ],
)
def test_answers_are_valid_json(plain: Any, do: str, expected: Any) -> None:
    assert plain.score({"do": do}).json == expected


def test_nonfinite_numbers_are_counted_and_logged_once(plain: Any) -> None:
    before = plain.metric("loopwright_nonfinite_numbers_total{")
    plain.score({"do": "nan"})
    plain.score({"do": "nan"})
    assert plain.metric("loopwright_nonfinite_numbers_total{") == before + 4
    assert len(plain.events("nonfinite-answer")) == 1


@pytest.mark.parametrize(
    ("do", "explanation"),
    [
        ("raise", "ValueError: no such passenger (score.py:15)"),
        ("object", "TypeError: run() returned a value of type object"),
    ],
)
def test_a_failing_run_is_500_and_the_log_explains(plain: Any, do: str, explanation: str) -> None:
    answer = plain.score({"do": do})
    assert answer.status == 500
    assert answer.error["id"] == answer.headers["x-request-id"]
    assert "passenger" not in answer.body.decode()
    (event,) = [event for event in plain.events("score-failed") if event["id"] == answer.error["id"]]
    assert explanation in event["error"]


def test_an_error_that_is_no_text_is_500_too(plain: Any) -> None:
    answer = plain.score({"do": "raise", "more": "\ud800"})
    assert answer.status == 500
    assert any(event["id"] == answer.error["id"] for event in plain.events("score-failed"))


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Encoding: \xff", 415),
        (b"X: \xff", 200),
        (b"Content-Length: -1", 400),
        (b"Content-Length: 1_0", 400),
    ],
)
def test_odd_headers(validating: Any, head: bytes, status: int) -> None:
    connection = validating.connect()
    connection.connect()
    body = b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"
    connection.sock.sendall(
        b"POST /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + head + b"\r\n" + body
    )
    assert int(connection.sock.recv(4096).split()[1]) == status
    connection.close()


def test_real_numpy_answers(start: Any) -> None:
    script = """
        import numpy as np
        def run(data):
            table = np.array([[1, np.nan]], dtype=np.float32)
            return {np.int64(3): np.float32(0.5), "table": table, "flag": np.bool_(True), "day": np.datetime64("2024-02-29"),
                    "text": np.str_("x"), "double": np.float64("inf")}
    """
    answer = start(script).score({})
    assert answer.json == {
        "3": 0.5,
        "table": [[1.0, None]],
        "flag": True,
        "day": "2024-02-29",
        "text": "x",
        "double": None,
    }


def test_ids_differ(plain: Any) -> None:
    ids = {plain.ask("GET", "/healthz").headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("PUT", "/score", 405, "method-not-allowed"),
        ("POST", "/metrics", 405, "method-not-allowed"),
    ],
)
def test_wrong_places(plain: Any, method: str, path: str, status: int, code: str) -> None:
    answer = plain.ask(method, path, b"x" if method == "POST" else None)
    assert (answer.status, answer.error["code"]) == (status, code)
    assert "x-request-id" in answer.headers
    if status == 405:
        assert answer.headers["allow"] in ("GET", "POST")


def test_health_and_stats(plain: Any) -> None:
    assert plain.ask("GET", "/healthz").status == 200
    assert plain.ask("HEAD", "/healthz").status == 200
    before = plain.ask("GET", "/stats").json["completed"]
    plain.score({})
    stats = plain.ask("GET", "/stats").json
    assert stats["completed"] == before + 1
    assert set(stats) == {"ready", "in_flight", "queued", "completed", "message"}


def test_metrics_are_served(plain: Any) -> None:
    plain.score({})
    answer = plain.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert (
        'loopwright_requests_total{workload="w",environment="test",revision="r1",code="200"}'
        in answer.body.decode()
    )
    assert plain.metric("process_resident_memory_bytes{") > 2e7


def test_too_large_is_413_and_read_to_its_end(plain: Any) -> None:
    for body in (b"x" * 100_001, b"x" * 3_000_000):
        assert plain.score(body).status == 413
    assert plain.score(b'{"pad": "' + b"x" * 90_000 + b'"}').status == 200


def test_too_large_in_chunks_is_413(plain: Any) -> None:
    connection = plain.connect()
    connection.request("POST", "/score", iter([b"x" * 60_000] * 4))
    response = connection.getresponse()
    assert response.status == 413
    assert b"100000" in response.read()
    connection.close()


def test_chunks_are_joined(plain: Any) -> None:
    connection = plain.connect()
    connection.request("POST", "/score", iter([b'{"a"', b": 1}"]))
    response = connection.getresponse()
    assert (response.status, b"a" in response.read()) == (200, True)
    connection.close()


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 50\r\n\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n",
    ],
)
def test_a_body_that_is_cut_short_never_reaches_user_code(plain: Any, head: bytes) -> None:
    connection = plain.connect()
    connection.connect()
    connection.sock.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\n" + head)
    connection.sock.shutdown(1)
    received = b"".join(iter(lambda: connection.sock.recv(4096), b""))
    assert b" 200 " not in received.split(b"\r\n")[0]
    connection.close()


def test_a_body_that_is_no_text_is_400(plain: Any) -> None:
    answer = plain.score(b"\xff\xfe")
    assert (answer.status, answer.error["code"]) == (400, "not-json")


def test_a_compressed_body_is_415(plain: Any) -> None:
    assert plain.ask("POST", "/score", b"x", {"Content-Encoding": "gzip"}).status == 415


def test_the_socket_is_its_owners_alone(plain: Any) -> None:
    assert stat.S_IMODE(plain.socket.stat().st_mode) == 0o600


def test_a_package_is_left_as_it_was(plain: Any) -> None:
    assert [path.name for path in plain.code.iterdir()] == ["score.py"]


def test_invalid_rows_are_422_by_name(validating: Any) -> None:
    answer = validating.score([{"age": 1}, {"age": "old", "port": None}])
    assert answer.status == 422
    details = {key: answer.error[key] for key in ("field", "row", "found", "expected")}
    assert details == {"field": "age", "row": 1, "found": '"old" (string)', "expected": "an integer"}


def test_what_is_not_json_is_400_with_its_place(validating: Any) -> None:
    answer = validating.score(b'{"age": }')
    assert (answer.status, answer.error["position"]) == (400, 8)


def test_valid_rows_pass_unchanged(validating: Any) -> None:
    rows = {"data": [{"age": 1.0, "port": "never seen", "more": [1]}]}
    assert validating.score(rows).json == rows


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["age", "port", "data", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)
_row = st.fixed_dictionaries({"age": st.integers(), "port": st.text() | st.none()})


@given(st.binary() | _json | _row | st.lists(_row))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_at_all_gives_a_5xx(validating: Any, body: Any) -> None:
    answer = validating.score(body)
    assert answer.status in (200, 400, 422)
    columns = isinstance(body, dict) and isinstance(body.get("age"), list | dict)
    if answer.status == 200 and not isinstance(body, bytes) and not columns:
        assert answer.json == body
