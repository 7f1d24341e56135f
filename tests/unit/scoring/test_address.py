"""Where a replica listens, as people write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright.errors import UsageError
from loopwright.scoring.address import Address, grpc_place


@pytest.mark.parametrize("text", ["127.0.0.1:8080", "[::1]:80", "localhost:65535"])
def test_an_address_is_read_and_written(text: str) -> None:
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["8080", ":8080", "localhost", "localhost:0", "localhost:65536", "localhost:x", ""]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected HOST:PORT"):
        Address.parse(text)


def test_grpc_is_beside_http() -> None:
    http = Address("127.0.0.1", 8080)
    assert grpc_place(Path("/r.sock"), True, None) == Path("/r.sock.grpc")
    assert grpc_place(http, True, 8081) == Address("127.0.0.1", 8081)
    assert grpc_place(http, False, None) is grpc_place(Path("/r.sock"), False, None) is None


@pytest.mark.parametrize(
    ("place", "port", "sentence"),
    [
        (Path("/r.sock"), 1, "goes with --http"),
        (Address("h", 8080), None, "name its port with --grpc-port"),
        (Address("h", 8080), 8080, "other than that of --http"),
        (Address("h", 8080), 0, "from 1 to 65535"),
    ],
)
def test_a_place_for_grpc_that_cannot_be_is_refused(
    place: Path | Address, port: int | None, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        grpc_place(place, True, port)
