"""A fact's canonical text and hash."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.errors import IntegrityError, PermanentError
from loopwright.ledger.facts import Draft, canonical, hash_of

KEY = b"k" * 32
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab\u00e9\U0001f6a2\n"'),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.text("abc\u00e9", max_size=3), children, max_size=3)
    ),
    max_leaves=8,
)


def draft(body: object = None, **changes: object) -> Draft:
    parts = {
        "kind": "step.succeeded",
        "workload": "titanic",
        "key": "a",
        "actor": "ann",
        "now": 1.5,
        **changes,
    }
    return Draft.of(body=body or {}, **parts)  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.dictionaries(st.text("abc\u00e9", max_size=3), JSON, max_size=4))
def test_a_body_reads_back_as_it_was_written(body: dict[str, object]) -> None:
    assert draft(body).entry(None, 1, KEY).fact().body == body


def test_the_order_of_keys_does_not_matter() -> None:
    assert canonical({"b": 1, "a": {"d": "\u00e9", "c": 2.5}}, "k") == '{"a":{"c":2.5,"d":"\u00e9"},"b":1}'


@pytest.mark.parametrize(
    "body", [{"x": math.nan}, {"x": {1, 2}}, {1: "a", "1": "b"}, {"x": "\ud800"}, {1: "a", "b": "c"}]
)
def test_a_body_that_is_not_json_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(PermanentError, match=r"'step\.succeeded' cannot be recorded|Cannot record the body"):
        draft(body)


@pytest.mark.parametrize("changes", [{"kind": ""}, {"now": math.inf}, {"key": "a\0b"}, {"actor": "\udc80"}])
def test_parts_that_cannot_be_recorded_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(PermanentError):
        draft(**changes)


def test_each_entry_continues_the_one_before() -> None:
    first = draft().entry(None, 1, KEY)
    second = draft().entry(first, 2, KEY)
    assert (first.sequence, second.sequence, second.previous, second.epoch) == (1, 2, first.hash, 2)


def test_times_a_bit_apart_have_different_hashes() -> None:
    entry = draft().entry(None, 1, KEY)
    assert hash_of(replace(entry, time=math.nextafter(entry.time, 2.0))) != entry.hash


def test_the_hash_stays_what_it_was_in_earlier_versions() -> None:
    entry = draft({"a": [1, 2.5]}).entry(None, 1, KEY)
    assert entry.hash == "77c066b9f3e635535f9bd54e36f7f06a71b2d659cc2944e63fea0622b21d62d1"


def test_a_body_that_was_damaged_is_named() -> None:
    entry = replace(draft().entry(None, 1, KEY), body="{")
    with pytest.raises(IntegrityError, match="Fact 1 of the ledger cannot be read"):
        entry.fact()
