"""What a server's answers become."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from loopwright.catalog import Tracking
from loopwright.errors import (
    ConflictError,
    LoopwrightError,
    NotFoundError,
    PermanentError,
    TemporaryError,
    UsageError,
)


class Server(ThreadingHTTPServer):
    """Gives one answer to everything."""

    answer = (200, b"{}")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as one:
        thread = Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield one
        one.shutdown()
        thread.join()


@pytest.fixture
def tracking(server: Server) -> Iterator[Tracking]:
    client = Tracking(f"http://127.0.0.1:{server.server_port}/")
    yield client
    client.close()


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (500, b"Internal Server Error", TemporaryError, r"HTTP 500.*Internal Server Error"),
        (503, b"", TemporaryError, "HTTP 503"),
        (
            400,
            b'{"error_code": "BAD_REQUEST", "message": "(sqlite3.IntegrityError) UNIQUE constraint failed: aliases"}',
            TemporaryError,
            "UNIQUE constraint",
        ),
        (429, b"", TemporaryError, "HTTP 429"),
        (
            404,
            b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such run"}',
            NotFoundError,
            "no such run",
        ),
        (
            400,
            b'{"error_code": "RESOURCE_ALREADY_EXISTS", "message": "it is there"}',
            ConflictError,
            "it is there",
        ),
        (
            400,
            b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "bad"}',
            PermanentError,
            "refused runs/get .HTTP 400.: bad",
        ),
        (403, b"Invalid Host header", PermanentError, "Invalid Host header"),
        (302, b"", PermanentError, "HTTP 302"),
        (200, b"<html>", TemporaryError, "is no MLflow server.*Does another program have its port"),
        (200, b"[]", TemporaryError, "is no MLflow server"),
        (404, b"<html>", TemporaryError, "is no MLflow server.*HTTP 404"),
    ],
)
def test_a_refusal_is_told(
    server: Server, tracking: Tracking, status: int, body: bytes, kind: type[LoopwrightError], told: str
) -> None:
    server.answer = (status, body)
    with pytest.raises(kind, match=told) as caught:
        tracking.get_run("a")
    assert caught.type is kind


def test_a_server_that_is_not_there_is_temporary(server: Server, tracking: Tracking) -> None:
    server.server_close()
    with pytest.raises(TemporaryError, match="does not answer"):
        tracking.wait(0.1)


@pytest.mark.parametrize(
    ("version", "told"),
    [(b"2.22.0", "expected 3.17 or newer"), (b"3.16.4", "3.16.4"), (b"<html>", "no MLflow")],
)
def test_a_server_that_is_too_old_is_refused(
    server: Server, tracking: Tracking, version: bytes, told: str
) -> None:
    server.answer = (200, version)
    with pytest.raises(PermanentError, match=told):
        tracking.wait(5.0)


@pytest.mark.parametrize("version", [b"3.17.0", b"3.20.1.dev0\n", b"4.0.0"])
def test_a_newer_server_is_taken(server: Server, tracking: Tracking, version: bytes) -> None:
    server.answer = (200, version)
    assert tracking.wait(5.0) == version.decode().strip()


def test_what_runs_here_is_not_reached_through_a_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.answer = (200, b"3.17.2")
    client = Tracking(f"http://127.0.0.1:{server.server_port}")
    assert client.ready() == "3.17.2"
    client.close()


@pytest.mark.parametrize("url", ["", "127.0.0.1:5000", "sqlite:///x.db", "http://"])
def test_an_address_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no URL such as"):
        Tracking(url)
