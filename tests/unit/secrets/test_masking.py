"""No secret is left in what is written, in whatever pieces and forms it comes."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.secrets.masking import Masker

SECRET = 'hunter2!/+ "quoted"'
KEY = "-----BEGIN KEY-----\nfirst line\nsecond line\nab\n-----END KEY-----"


def masked(data: bytes, size: int, *values: str) -> bytes:
    masker = Masker(values or (SECRET,))
    pieces = [masker.feed(data[start : start + size]) for start in range(0, len(data), size)]
    return b"".join([*pieces, masker.finish()])


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_a_secret_in_pieces_is_masked_and_all_else_stays(size: int) -> None:
    text = f"hunt hunter2 <{SECRET}>{SECRET}. The end: hunter2!/"
    assert masked(text.encode(), size) == b"hunt hunter2 <***>***. The end: hunter2!/"


@pytest.mark.parametrize("before", ["", "a", "ab", "user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_at_every_offset(before: str, encode) -> None:  # type: ignore[no-untyped-def]
    line = encode(f"{before}{SECRET}@host".encode())
    core = encode(SECRET.encode())[4:-8]
    said = masked(b"Basic " + line, 3)
    assert b"***" in said
    assert core not in said


@pytest.mark.parametrize("length", range(5, 12))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_of_base64_not_even_the_last_characters_are_left(encode, length: int) -> None:  # type: ignore[no-untyped-def]
    one, other = (f"{'p?>hunter2'[: length - 1]}{last}" for last in "3~")
    assert masked(encode(one.encode()), 5, one) == b"***"
    for after in (b"\0", b"z", b"\xff"):
        left = [masked(encode(secret.encode() + after), 3, secret) for secret in (one, other)]
        assert left[0] == left[1]
        assert left[0].startswith(b"***")


@pytest.mark.parametrize("form", [json.dumps, repr, lambda text: quote(text, safe="")])
def test_the_forms_in_which_values_are_written(form) -> None:  # type: ignore[no-untyped-def]
    assert b"hunter2" not in masked(form({"a": SECRET} if form is json.dumps else SECRET).encode(), 4)


def test_every_line_of_a_long_secret_by_itself() -> None:
    said = masked(b"1: first line\r\n2: second line\r\n3: ab\r\n", 4, KEY)
    assert said == b"1: ***\r\n2: ***\r\n3: ab\r\n"


def test_the_longer_of_two_secrets_that_begin_alike() -> None:
    assert masked(b"token token-of-prod token-of-x", 3, "token", "token-of-prod") == b"*** *** ***-of-x"


def test_what_cannot_begin_a_secret_is_not_held_back() -> None:
    masker = Masker([SECRET])
    assert masker.feed(b"waiting ...") == b"waiting ..."
    assert masker.feed(b"ready: hun") == b"ready: "


@given(st.text("ab", min_size=4, max_size=8), st.text("ab ", max_size=60), st.integers(1, 9))
def test_it_is_never_left_wherever_it_stands(secret: str, text: str, size: int) -> None:
    said = masked(text.encode(), size, secret)
    assert secret.encode() not in said
    assert said == masked(text.encode(), 1000, secret)
