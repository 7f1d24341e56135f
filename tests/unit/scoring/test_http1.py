"""HTTP/1.1 on real connections: what comes in pieces, at once, half, wrongly, or too slowly."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop

from loopwright.scoring.body import CutShort
from loopwright.scoring.connections import Connections
from loopwright.scoring.exchange import Exchange, Scope
from loopwright.scoring.http1 import Connection

Talk = Callable[["Client"], Awaitable[None]]


class Client:
    """The other side, and all connections of the server."""

    def __init__(self, others: Connections) -> None:
        self.others = others

    async def connect(self, app: Any) -> Client:
        ours, theirs = socket.socketpair()
        self.reader, self.writer = await asyncio.open_unix_connection(sock=ours)
        theirs.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: Connection(app, self.others), theirs)
        return self

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        length = int(headers.get("content-length", 0))
        return int(head[0].split()[1]), headers, await self.reader.readexactly(length)

    async def ended(self) -> bool:
        over = await self.reader.read() == b""
        self.writer.close()
        return over


def talk(app: Any, with_it: Talk, most: int = 10) -> None:
    """Have a client talk to `app` on one connection, in the event loop that replicas have."""

    async def main() -> None:
        async with asyncio.timeout(20):
            client = await Client(Connections(most, lambda: None)).connect(app)
            await with_it(client)
            client.writer.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def echo(scope: Scope, exchange: Exchange) -> None:
    """Answers with what was asked, and its body."""
    body = await exchange()
    said = f"{scope.method} {scope.path} {scope.query_string} {scope.headers.get('x-a')} ".encode()
    exchange.response_bytes(200, [("content-type", "text/plain")], said + body)


def post(body: bytes, path: str = "/score", more: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nhost: x\r\n{more}content-length: {len(body)}\r\n\r\n".encode() + body


def test_a_request_byte_by_byte_and_another_on_the_same_connection() -> None:
    async def with_it(client: Client) -> None:
        for byte in post(b"abc", "/a%20b?q=1", "X-A: 1\r\nx-a: 2\r\n"):
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.answer())[2] == b"POST /a b q=1 1, 2 abc"
        client.send(post(b"", "http://host/p?x"))
        assert (await client.answer())[2] == b"POST /p x None "

    talk(echo, with_it)


def test_requests_sent_at_once_are_answered_in_their_order() -> None:
    running = 0

    async def slow(scope: Scope, exchange: Exchange) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0.001)
        running -= 1
        await echo(scope, exchange)

    async def with_it(client: Client) -> None:
        client.send(b"".join(post(str(number).encode()) for number in range(50)))
        client.writer.write_eof()
        assert [(await client.answer())[2][-2:].strip() for _ in range(50)] == [
            str(n).encode() for n in range(50)
        ]
        assert await client.ended()

    talk(slow, with_it)


def test_chunks_are_joined_and_those_cut_short_are_told() -> None:
    told: list[str] = []

    async def app(scope: Scope, exchange: Exchange) -> None:
        try:
            await echo(scope, exchange)
        except CutShort:
            told.append("cut")
            exchange.response_bytes(400, [], b"")

    async def with_it(client: Client) -> None:
        client.send(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
        assert (await client.answer())[2].endswith(b"abc")
        client.send(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n")
        client.writer.write_eof()
        assert (await client.answer())[0] == 400
        assert await client.ended()

    talk(app, with_it)
    assert told == ["cut"]


def test_what_follows_the_body_is_no_header() -> None:
    async def app(scope: Scope, exchange: Exchange) -> None:
        await exchange()
        exchange.response_bytes(200, [], str(sorted(scope.headers.items())).encode())

    async def with_it(client: Client) -> None:
        client.send(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nc\r\n0\r\nx-role: a\r\n\r\n")
        assert (await client.answer())[2] == b"[('transfer-encoding', 'chunked')]"

    talk(app, with_it)


def test_who_waits_for_a_word_to_go_on_gets_it() -> None:
    async def with_it(client: Client) -> None:
        client.send(post(b"abc", more="expect: 100-continue\r\n")[:-3])
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"abc")
        assert (await client.answer())[2].endswith(b"abc")

    talk(echo, with_it)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 400_000, 431),
        (b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 300 + b"\r\n", 431),
    ],
)
def test_what_is_no_request_is_refused_and_no_more_is_read(sent: bytes, status: int) -> None:
    async def with_it(client: Client) -> None:
        client.send(sent)
        found, headers, body = await client.answer()
        assert (found, headers["connection"], b"not-http" in body) == (status, "close", True)
        assert await client.ended()

    talk(echo, with_it)


def test_a_head_has_no_body_and_older_clients_are_told_whether_to_stay() -> None:
    async def with_it(client: Client) -> None:
        client.send(b"HEAD / HTTP/1.1\r\n\r\n" + b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
        assert int((await client.reader.readuntil(b"\r\n\r\n")).split(b"content-length: ")[1].split()[0]) > 5
        assert (await client.answer())[1]["connection"] == "keep-alive"
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert (await client.answer())[1]["connection"] == "close"
        assert await client.ended()

    talk(echo, with_it)


def test_another_protocol_is_not_changed_to() -> None:
    offer = "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: x\r\nx-a: 1\r\n"

    async def with_it(client: Client) -> None:
        client.send(post(b"abc", more=offer)[:-2])
        await asyncio.sleep(0.01)
        client.send(b"bc" + post(b"d"))
        assert (await client.answer())[2] == b"POST /score  1 abc"
        assert (await client.answer())[2] == b"POST /score  None d"
        client.send(b"CONNECT there:1 HTTP/1.1\r\n\r\nrubbish")
        assert (await client.answer())[0] == 200
        assert await client.ended()

    talk(echo, with_it)


def test_a_large_body_that_nobody_reads_holds_up_no_later_request() -> None:
    async def app(scope: Scope, exchange: Exchange) -> None:
        if scope.method == "GET":
            await echo(scope, exchange)
            return
        while not exchange.complete:  # answers once it is there, and has not read it
            async for _ in exchange:
                break
        exchange.response_bytes(200, [], b"unread")

    async def with_it(client: Client) -> None:
        client.send(post(b"x" * 3_000_000) + b"GET / HTTP/1.1\r\n\r\n")
        assert (await client.answer())[2] == b"unread"
        assert (await client.answer())[2].startswith(b"GET")

    talk(app, with_it)


def test_a_body_that_nobody_asks_for_stays_with_the_client() -> None:
    go = asyncio.Event()

    async def app(_scope: Scope, exchange: Exchange) -> None:
        await go.wait()
        exchange.response_bytes(200, [], str(len(await exchange())).encode())

    async def with_it(client: Client) -> None:
        client.send(post(b"x" * 20_000_000))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.writer.drain()
        go.set()
        assert (await client.answer())[2] == b"20000000"

    talk(app, with_it)


def test_what_is_refused_unread_ends_the_connection() -> None:
    async def refuses(_scope: Scope, exchange: Exchange) -> None:
        exchange.response_bytes(413, [], b"")

    async def with_it(client: Client) -> None:
        client.send(post(b"x" * 100)[:-1])
        assert (await client.answer())[0] == 413
        assert await client.ended()

    talk(refuses, with_it)


def test_no_header_makes_another() -> None:
    async def app(_scope: Scope, exchange: Exchange) -> None:
        with pytest.raises(ValueError, match="end of line"):
            exchange.response_bytes(200, [("a", "b\r\nset-cookie: c")], b"")
        exchange.response_bytes(200, [("a", "ü€"), ("content-length", "7")], b"ab")

    async def with_it(client: Client) -> None:
        client.send(post(b""))
        head = await client.reader.readuntil(b"\r\n\r\nab")
        assert b"a: \xfc?\r\n" in head
        assert head.count(b"content-length") == 1

    talk(app, with_it)


def test_stopping_answers_what_was_asked_and_what_is_coming() -> None:
    async def with_it(client: Client) -> None:
        idle = await Client(client.others).connect(echo)
        client.send(post(b"abc")[:8])
        await asyncio.sleep(0.05)
        client.others.stop()
        assert await idle.ended()
        client.send(post(b"abc")[8:])
        assert (await client.answer())[1]["connection"] == "close"
        assert await client.ended()
        assert len(client.others) == 0

    talk(echo, with_it)


def test_who_asks_nothing_or_takes_nothing_is_sent_away() -> None:
    async def app(_scope: Scope, exchange: Exchange) -> None:
        exchange.response_bytes(200, [], b"x" * 30_000_000)

    async def with_it(client: Client) -> None:
        idle = await Client(client.others).connect(echo)
        client.send(post(b""))
        await asyncio.sleep(0.2)
        client.others.look(3600)
        assert len(client.others) == 2
        await asyncio.sleep(0.05)  # in which it takes nothing
        client.others.look(0.01)
        assert await idle.ended()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.answer()

    talk(app, with_it)


def test_an_application_that_forgets_to_answer_costs_its_connection() -> None:
    async def forgets(_scope: Scope, exchange: Exchange) -> None:
        await exchange()

    async def with_it(client: Client) -> None:
        client.send(post(b""))
        await asyncio.sleep(0.05)
        client.others.look(3600)
        assert await client.ended()

    talk(forgets, with_it)


def test_there_are_no_more_connections_than_there_may_be() -> None:
    async def with_it(client: Client) -> None:
        other = await Client(client.others).connect(echo)
        assert (await other.answer())[0] == 503
        assert await other.ended()
        client.send(post(b"abc"))
        assert (await client.answer())[0] == 200

    talk(echo, with_it, most=1)


def test_what_follows_a_body_has_bounds_too() -> None:
    told = asyncio.Event()

    async def app(_scope: Scope, exchange: Exchange) -> None:
        with pytest.raises(CutShort):
            await exchange()
        told.set()
        exchange.response_bytes(400, [], b"")

    async def with_it(client: Client) -> None:
        client.send(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: ")
        for _ in range(40):
            client.send(b"y" * 10_000)
        await told.wait()
        # A reset may overtake the answer, since not all was read.
        while len(client.others):  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0.01)

    talk(app, with_it)


def test_a_large_body_before_it_is_no_part_of_a_head() -> None:
    async def with_it(client: Client) -> None:
        client.send(post(b"x" * 100_000) + b"GET /next")
        assert (await client.answer())[0] == 200
        client.send(b" HTTP/1.1\r\n\r\n")
        assert (await client.answer())[2].startswith(b"GET /next")

    talk(echo, with_it)


def test_who_takes_no_answers_is_not_answered_on() -> None:
    answered = 0

    async def app(_scope: Scope, exchange: Exchange) -> None:
        nonlocal answered
        answered += 1
        exchange.response_bytes(200, [], b"x" * 60_000)

    async def with_it(client: Client) -> None:
        client.send(b"GET / HTTP/1.1\r\n\r\n" * 5_000)
        await asyncio.sleep(0.3)
        assert answered < 100
        for _ in range(5_000):
            assert len((await client.answer())[2]) == 60_000
        assert answered == 5_000

    talk(app, with_it)


def test_a_small_rest_that_nobody_takes_holds_no_connection_for_ever() -> None:
    async def app(_scope: Scope, exchange: Exchange) -> None:
        exchange.response_bytes(200, [("connection", "close")], b"x" * 250_000)

    async def with_it(client: Client) -> None:
        client.send(post(b""))
        await asyncio.sleep(0.1)
        for _ in range(3):
            await asyncio.sleep(0.02)
            client.others.look(0.01)
        await asyncio.sleep(0.02)
        assert len(client.others) == 0

    talk(app, with_it)


def test_stopping_ends_what_was_answered_before_it_had_come() -> None:
    answered = asyncio.Event()

    async def app(_scope: Scope, exchange: Exchange) -> None:
        exchange.response_bytes(404, [], b"")
        answered.set()
        await exchange()

    async def with_it(client: Client) -> None:
        client.send(post(b"abc")[:-3])
        await answered.wait()
        client.others.stop()
        client.send(b"abc")
        assert (await client.answer())[1]["connection"] == "close"
        assert await client.ended()

    talk(app, with_it)


def test_a_connection_that_was_taken_as_all_ended_is_answered_once_and_ends() -> None:
    async def with_it(client: Client) -> None:
        client.others.stop()
        late = await Client(client.others).connect(echo)
        late.send(post(b"abc"))
        assert (await late.answer())[1]["connection"] == "close"
        assert await late.ended()
        silent = await Client(client.others).connect(echo)
        assert await silent.ended()

    talk(echo, with_it)


def test_many_offers_of_other_protocols_at_once() -> None:
    async def with_it(client: Client) -> None:
        client.send(b"GET / HTTP/1.1\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n" * 1_000)
        for _ in range(1_000):
            assert (await client.answer())[0] == 200
        client.send(b"GET / HTTP/1.1\r\nupgrade: x\r\nconnection: close, upgrade\r\n\r\n")
        assert (await client.answer())[1]["connection"] == "close"
        assert await client.ended()

    talk(echo, with_it)
