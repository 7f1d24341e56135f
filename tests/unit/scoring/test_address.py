"""Where a replica listens, as people write it."""

from __future__ import annotations

import pytest

from loopwright.errors import UsageError
from loopwright.scoring.address import Address


@pytest.mark.parametrize("text", ["127.0.0.1:8080", "[::1]:80", "localhost:65535"])
def test_an_address_is_read_and_written(text: str) -> None:
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["8080", ":8080", "localhost", "localhost:0", "localhost:65536", "localhost:x", ""]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected HOST:PORT"):
        Address.parse(text)
