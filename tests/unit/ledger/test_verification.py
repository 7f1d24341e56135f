"""The verdict on a chain: pure, over entries and the head."""

from dataclasses import replace

import pytest

from loopwright.ledger.facts import Draft, Entry, hash_of
from loopwright.ledger.verification import Head, verify

KEY = b"k" * 32


def chain(length: int, key: bytes = KEY) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(length):
        draft = Draft.of("kind", "titanic", str(number), {"n": number}, "ann", 1000.0 + number)
        entries.append(draft.entry(entries[-1] if entries else None, 1, key))
    return entries


def head(entries: list[Entry]) -> Head:
    return Head(entries[-1].sequence, entries[-1].hash) if entries else Head()


@pytest.mark.parametrize("length", [0, 1, 7])
def test_a_whole_chain_holds(length: int) -> None:
    verdict = verify(chain(length), head(chain(length)), KEY)
    assert (verdict.ok, verdict.entries, verdict.broken) == (True, length, None)


def test_a_changed_body_is_named() -> None:
    entries = chain(7)
    changed = [*entries[:3], replace(entries[3], body='{"n":9}'), *entries[4:]]
    verdict = verify(changed, head(entries), KEY)
    assert (verdict.ok, verdict.broken, verdict.entries) == (False, 4, 3)
    assert verdict.sentence.startswith(
        "Fact 4 was changed: its content does not match its hash; the 3 before it"
    )


def test_an_entry_with_a_hash_made_to_fit_lacks_the_signature() -> None:
    entries = chain(3)
    forged = replace(entries[2], body='{"n":9}')
    forged = replace(forged, hash=hash_of(forged))
    verdict = verify([*entries[:2], forged], head(entries[:2]), KEY)
    assert (verdict.broken, "signature" in verdict.sentence) == (3, True)


def test_a_removed_entry_is_named() -> None:
    entries = chain(7)
    verdict = verify([*entries[:4], *entries[5:]], head(entries), KEY)
    assert (verdict.broken, verdict.sentence[:41]) == (5, "Fact 5 is missing: fact 6 follows fact 4;")


def test_changed_order_is_named() -> None:
    entries = chain(4)
    first, second = replace(entries[2], sequence=2), replace(entries[1], sequence=3)
    assert verify([entries[0], first, second, entries[3]], head(entries), KEY).broken == 2


def test_a_cut_off_tail_is_seen_by_the_head() -> None:
    entries = chain(7)
    verdict = verify(entries[:5], head(entries), KEY)
    assert (verdict.ok, verdict.broken, verdict.entries) == (False, 6, 5)
    assert "2 of 7 facts are cut off" in verdict.sentence


def test_a_tail_written_anew_is_not_the_one_that_was_signed() -> None:
    entries = chain(4)
    other = Draft.of("kind", "titanic", "other", {}, "ann", 0.0).entry(entries[2], 1, KEY)
    assert verify([*entries[:3], other], head(entries), KEY).broken == 4


def test_entries_committed_before_the_head_was_written_hold() -> None:
    entries = chain(7)
    assert verify(entries, head(entries[:6]), KEY).ok


def test_entries_of_another_key_do_not_hold() -> None:
    entries = chain(3, key=b"x" * 32)
    assert verify(entries, head(entries), KEY).broken == 1
