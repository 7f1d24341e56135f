"""A small real HTTP server whose path says how it behaves."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Endpoint:
    """The server's address, and what has reached it."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0
    at_once: int = 0


def _response(status: int, body: bytes, kind: str = "application/json", length: int | None = None) -> bytes:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body) if length is None else length}\r\n"
    return head.encode() + b"location: /ok\r\n\r\n" + body


ANSWERS = {
    "/ok": _response(200, b'{"prediction": 1, "probability": 0.7}'),
    "/broken": _response(500, b'{"prediction": 1, "probability": 0.7}'),
    "/html": _response(200, b"<html>1</html>", "text/html"),
    "/cut": _response(200, b'{"predict', length=40),
    "/moved": _response(302, b"{}"),
    "/empty": _response(200, b""),
    "/nothing": b"",
    "/hang": None,
}


async def _serve(endpoint: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    endpoint.connections += 1
    try:
        while True:
            path = await _read_request(endpoint, reader)
            endpoint.at_once += 1
            endpoint.most_at_once = max(endpoint.most_at_once, endpoint.at_once)
            await asyncio.sleep(60 if path == "/hang" else 0.002)
            endpoint.at_once -= 1
            writer.write(_echo(endpoint) if path == "/echo" else ANSWERS[path] or b"")
            await writer.drain()
            if path in ("/cut", "/nothing"):
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _read_request(endpoint: Endpoint, reader: asyncio.StreamReader) -> str:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    endpoint.bodies.append(body)
    endpoint.headers.append(headers)
    return first.split(" ")[1]


def _echo(endpoint: Endpoint) -> bytes:
    """What was sent, and whether with the key; 401 without it."""
    allowed = endpoint.headers[-1].get("authorization") == "Bearer secret"
    if not allowed:
        return _response(401, b'{"error": {"code": "unauthorized", "message": "no key"}}')
    return _response(200, json.dumps({"got": endpoint.bodies[-1].decode()}).encode())


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A server of its own for each test, in a thread."""
    endpoint, started = Endpoint(), threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def main() -> None:
        server = await asyncio.start_server(lambda r, w: _serve(endpoint, r, w), "127.0.0.1", 0)
        endpoint.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started.set()
        await stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    assert started.wait(10)
    yield endpoint
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()
