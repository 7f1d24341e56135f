"""Whether the recorded facts are what was written: pure, over entries in order and the signed head."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from loopwright.ledger.facts import GENESIS, Entry, hash_of, signature_of

_TYPES = (int, float, int, str, str, str, str, str, str, str, str)


@dataclass(frozen=True)
class Head:
    """The newest fact's place: with its hash it stands for the whole chain before it."""

    sequence: int = 0
    hash: str = GENESIS


@dataclass(frozen=True)
class Verification:
    """A verdict on the ledger."""

    ok: bool
    entries: int  # how many facts were checked and found good
    broken: int | None  # sequence of the first fact that is changed or missing; None where all there are hold
    sentence: str  # for a person


def verify(entries: Iterable[Entry], head: Head, signing_key: bytes, start: Head = Head()) -> Verification:
    """Check each entry's hash, signature and link, and that the chain reaches through the signed head.

    `start` is the place just before the first entry. Entries beyond the head hold when they are signed: they were
    committed just before a crash that came before the head was written.
    """
    place = start
    for entry in entries:
        flaw = _flaw(entry, place, signing_key)
        if not flaw and entry.sequence == head.sequence and entry.hash != head.hash:
            flaw = "is not the one that the signed head names"
        if flaw:
            return broken(place.sequence + 1, place.sequence, flaw)
        place = Head(entry.sequence, entry.hash)
    if place.sequence < head.sequence:
        missing = head.sequence - place.sequence
        return broken(
            place.sequence + 1,
            place.sequence,
            f"is missing: {missing} of {head.sequence} facts are cut off at the end",
        )
    count = place.sequence
    return Verification(True, count, None, f"All {count} facts are as they were written.")


def broken(sequence: int, entries: int, flaw: str) -> Verification:
    """The verdict where a fact does not hold."""
    sentence = f"Fact {sequence} {flaw}; the {entries} before it are as they were written."
    return Verification(False, entries, sequence, sentence)


def _flaw(entry: Entry, before: Head, signing_key: bytes) -> str:
    if entry.sequence != before.sequence + 1:
        return f"is missing: fact {entry.sequence} follows fact {before.sequence}"
    if tuple(type(part) for part in astuple(entry)) != _TYPES:
        return "was changed: a part of it has another type"
    if entry.previous != before.hash:
        return "was changed: it does not continue the fact before it"
    if entry.hash != hash_of(entry):
        return "was changed: its content does not match its hash"
    if not hmac.compare_digest(
        entry.signature.encode(errors="replace"), signature_of(entry.hash, signing_key).encode()
    ):
        return "was not written by Loopwright: its signature is wrong"
    return ""
