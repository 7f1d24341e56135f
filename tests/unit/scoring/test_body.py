"""Bodies stay within their size, their time and a common budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from loopwright.scoring.body import Body, BodyReader, CutShort
from loopwright.scoring.budget import Budget
from loopwright.scoring.refusals import (
    BodyCutShort,
    BodyTooLarge,
    BodyTooSlow,
    TooManyBytes,
    UnknownEncoding,
)
from loopwright.scoring.settings import Limits

Virtual = Callable[[Any], Any]
_MEBIBYTE = 1024 * 1024


class _Incoming:
    """A client that sends these chunks, with a pause before each."""

    def __init__(self, *chunks: bytes, pause: float = 0) -> None:
        self._chunks = chunks
        self._pause = pause
        self.taken = 0

    async def __call__(self) -> bytes:
        return b"".join([chunk async for chunk in self])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            await asyncio.sleep(self._pause)
            self.taken += 1
            if not chunk:  # its connection has ended
                raise CutShort
            yield chunk


def _reader(limits: Limits) -> BodyReader:
    return BodyReader(limits, Budget(limits))


def test_read_whole(virtual: Virtual) -> None:
    reader = _reader(Limits(max_body=5))
    assert virtual(reader.read(Body(_Incoming(b"abcde")), "5", None)) == b"abcde"
    assert virtual(reader.read(Body(_Incoming(b"abc", b"de")), None, "identity")) == b"abcde"


def test_too_large_by_its_own_word_is_not_read(virtual: Virtual) -> None:
    incoming = _Incoming(b"abcdef")
    with pytest.raises(BodyTooLarge):
        virtual(_reader(Limits(max_body=5)).read(Body(incoming), "6", None))
    assert incoming.taken == 0


def test_too_large_in_chunks_is_read_no_further(virtual: Virtual) -> None:
    incoming = _Incoming(b"abc", b"def", b"ghi")
    with pytest.raises(BodyTooLarge):
        virtual(_reader(Limits(max_body=5)).read(Body(incoming), None, None))
    assert incoming.taken == 2


def test_too_slow(virtual: Virtual) -> None:
    async def main() -> None:
        with pytest.raises(BodyTooSlow):
            await _reader(Limits(timeout=3)).read(Body(_Incoming(b"a", b"b", pause=2)), "2", None)
        assert asyncio.get_running_loop().time() == pytest.approx(3)

    virtual(main())


def test_cut_short(virtual: Virtual) -> None:
    with pytest.raises(BodyCutShort):
        virtual(_reader(Limits()).read(Body(_Incoming(b"abc", b"")), None, None))


def test_compressed_is_refused(virtual: Virtual) -> None:
    with pytest.raises(UnknownEncoding, match="'gzip'"):
        virtual(_reader(Limits()).read(Body(_Incoming(b"")), "0", "gzip"))


def test_all_that_is_being_read_has_a_budget(virtual: Virtual) -> None:
    async def main() -> list[object]:
        reader = _reader(Limits(max_body=50 * _MEBIBYTE))
        size = str(40 * _MEBIBYTE)
        reads = [reader.read(Body(_Incoming(b"x", pause=1)), size, None) for _ in range(2)]
        first = await asyncio.gather(*reads, return_exceptions=True)
        return [*first, await reader.read(Body(_Incoming(b"later")), size, None)]

    one, other, later = virtual(main())
    assert (one, later) == (b"x", b"later")
    assert isinstance(other, TooManyBytes)


def test_discarding_ends_with_time(virtual: Virtual) -> None:
    incoming = _Incoming(*[b"x"] * 100, pause=1)
    virtual(Body(incoming).discard())
    assert 1 < incoming.taken < 10


def test_discarding_goes_on_where_reading_stopped(virtual: Virtual) -> None:
    async def main() -> None:
        incoming = _Incoming(b"abc", b"def", b"ghi")
        body = Body(incoming)
        with pytest.raises(BodyTooLarge):
            await _reader(Limits(max_body=5)).read(body, None, None)
        await body.discard()
        assert incoming.taken == 3

    virtual(main())


def test_what_was_read_is_held_until_it_is_given_back_and_what_failed_is_not(virtual: Virtual) -> None:
    async def main() -> None:
        limits = Limits(max_body=6, bodies=10)
        reader = BodyReader(limits, budget := Budget(limits))
        await reader.read(Body(_Incoming(b"abcdef")), "6", None)
        with pytest.raises(TooManyBytes, match=r"holds 6 bytes of other requests, and may hold 10\."):
            await reader.read(Body(_Incoming(b"abcdef")), "6", None)
        with pytest.raises(TooManyBytes):
            await reader.read(Body(_Incoming(b"abc", b"def")), None, None)
        assert (budget.held, reader.small("4", None), reader.small("5", None)) == (6, 4, 0)
        budget.give(6)
        with pytest.raises(BodyCutShort):
            await reader.read(Body(_Incoming(b"abcdef", b"")), None, None)
        assert budget.held == 0

    virtual(main())


def test_one_largest_body_always_fits() -> None:
    assert Budget(Limits(max_body=300, bodies=200)).most == 300
