"""As much of HTTP/1.1 as stands between a gateway and a replica on one machine: one whole request in, one answer through.

Envoy is the only client, so that requests are well-formed; what is not is refused all the same. Each connection carries
one request: when it is answered, the next one goes where the gateway sends it by then.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["MOST_HEAD", "Refused", "Request", "read_request", "relay"]

MOST_HEAD = 128 * 1024  # bytes; Envoy takes 60 KiB
_PIECE = 64 * 1024
_OURS = (
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"transfer-encoding",
    b"content-length",
    b"expect",
)
_REASONS = {400: "Bad Request", 413: "Content Too Large", 503: "Service Unavailable"}


class Refused(Exception):  # noqa: N818  (an answer more than an error)
    """The answer that a client gets instead of a replica's."""

    def __init__(self, status: int, code: str, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after

    def answer(self, request_id: str) -> bytes:
        """The bytes to send, in the shape of a replica's errors."""
        content = json.dumps({"error": {"code": self.code, "message": self.message}}).encode()
        lines = [f"HTTP/1.1 {self.status} {_REASONS[self.status]}", "content-type: application/json"]
        lines += [f"content-length: {len(content)}", "connection: close"]
        lines += [f"retry-after: {self.retry_after}"] if self.retry_after else []
        lines += [f"x-request-id: {request_id}"] if request_id else []
        return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass(frozen=True)
class Request:
    """A request whose body is here."""

    first: bytes  # method, target and version
    headers: tuple[bytes, ...]  # lines, without those that concern one connection alone
    body: bytes

    def encoded(self) -> bytes:
        """The bytes to send to a replica, which is to close the connection after its answer."""
        ours = (b"content-length: %d" % len(self.body), b"connection: close")
        return b"\r\n".join((self.first, *self.headers, *ours, b"", self.body))


async def read_request(reader: asyncio.StreamReader, head: bytes, take: Callable[[int], None]) -> Request:
    """The request that begins with this head; `take` is asked for each part of the body and may refuse it.

    Raises Refused, or IncompleteReadError where the client has gone.
    """
    first, *lines = head.rstrip(b"\r\n").split(b"\r\n")
    chunked = b"chunked" in header(lines, b"transfer-encoding").lower()
    body = await (
        _chunks(reader, take) if chunked else _whole(reader, header(lines, b"content-length"), take)
    )
    return Request(first, tuple(line for line in lines if _name(line) not in _OURS), body)


def header(lines: list[bytes], name: bytes) -> bytes:
    """The value of a header, empty where it is not there."""
    return next((line.partition(b":")[2].strip() for line in lines if _name(line) == name), b"")


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].strip().lower()


async def _whole(reader: asyncio.StreamReader, length: bytes, take: Callable[[int], None]) -> bytes:
    if length and not length.isdigit():
        raise Refused(400, "bad-request", "The content-length is not a number.")
    take(int(length or 0))
    return await reader.readexactly(int(length or 0))


async def _chunks(reader: asyncio.StreamReader, take: Callable[[int], None]) -> bytes:
    pieces: list[bytes] = []
    while length := await _chunk_length(reader):
        take(length)
        pieces.append(await reader.readexactly(length))
        await reader.readexactly(2)
    while (await reader.readuntil(b"\r\n")) != b"\r\n":  # trailers
        pass
    return b"".join(pieces)


async def _chunk_length(reader: asyncio.StreamReader) -> int:
    line = await reader.readuntil(b"\r\n")
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise Refused(400, "bad-request", "The body's chunks are malformed.") from None


async def relay(request: Request, socket: str, client: asyncio.StreamWriter) -> None:
    """Send a request to the replica at this socket and its answer to the client.

    Raises ConnectionRefusedError or FileNotFoundError where no replica is there, another OSError or IncompleteReadError
    where it died before the end of its answer.
    """
    reader, writer = await asyncio.open_unix_connection(socket, limit=MOST_HEAD)
    try:
        writer.write(request.encoded())
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.rstrip(b"\r\n").split(b"\r\n")
        kept = [line for line in lines if _name(line) not in (b"connection", b"keep-alive")]
        client.write(b"\r\n".join((first, *kept, b"connection: close", b"", b"")))
        length = header(lines, b"content-length")
        await _copy(reader, client, int(length) if length.isdigit() else None)
    finally:
        writer.close()


async def _copy(reader: asyncio.StreamReader, client: asyncio.StreamWriter, length: int | None) -> None:
    """Pass on so many bytes, or all up to the end where there is no number."""
    left = length
    while left is None or left > 0:
        piece = await reader.read(_PIECE if left is None else min(_PIECE, left))
        if not piece and left is not None:
            raise asyncio.IncompleteReadError(b"", left)
        if not piece:
            return
        left = None if left is None else left - len(piece)
        client.write(piece)
        await client.drain()
