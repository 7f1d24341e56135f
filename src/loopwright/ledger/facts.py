"""What a fact is, how it is written, and the hash that chains it to the one before.

An `Entry` is a fact as it is stored: its body is the canonical JSON text, and the hash covers that text itself, so that
nobody who checks the chain has to agree with us on how a number is printed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loopwright.errors import IntegrityError, PermanentError

GENESIS = "0" * 64  # what the first fact names as the hash before it


@dataclass(frozen=True)
class Fact:
    """Something that happened."""

    sequence: int  # 1, 2, 3 ... without gaps
    time: float  # seconds since the epoch, by the clock of who appended it
    epoch: int  # which control plane wrote it; see Ledger.take_over
    kind: str  # what happened, such as step.succeeded
    workload: str  # empty for facts about the installation
    key: str  # what it happened to; its meaning belongs to the kind
    actor: str
    body: dict[str, Any]
    previous: str  # hash of the fact before
    hash: str


@dataclass(frozen=True)
class Entry:
    """A fact as it is stored."""

    sequence: int
    time: float
    epoch: int
    kind: str
    workload: str
    key: str
    actor: str
    body: str
    previous: str
    hash: str
    signature: str  # of the hash, by the ledger's key: who lacks the key cannot append

    def fact(self) -> Fact:
        """The fact for its readers; raises IntegrityError where the body is not JSON any more."""
        try:
            body = json.loads(self.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise IntegrityError(
                f"Fact {self.sequence} of the ledger cannot be read: its body is not a JSON object. "
                "Restore the state folder from a backup."
            )
        return Fact(
            self.sequence,
            self.time,
            self.epoch,
            self.kind,
            self.workload,
            self.key,
            self.actor,
            body,
            self.previous,
            self.hash,
        )


@dataclass(frozen=True)
class Draft:
    """What is to be appended; its place in the chain is not known yet."""

    time: float
    kind: str
    workload: str
    key: str
    actor: str
    body: str

    @classmethod
    def of(cls, kind: str, workload: str, key: str, body: Mapping[str, Any], actor: str, now: float) -> Draft:
        """Check the parts of a fact; raises PermanentError for what cannot be recorded faithfully."""
        if not kind or not math.isfinite(now):
            raise PermanentError(f"A fact needs a kind and a time; found kind {kind!r} and time {now!r}.")
        for name, value in (("kind", kind), ("workload", workload), ("key", key), ("actor", actor)):
            _check_text(value, f"the {name} of a fact {kind!r}")
        return cls(float(now), kind, workload, key, actor, canonical(body, kind))

    def entry(self, last: Entry | None, epoch: int, signing_key: bytes) -> Entry:
        """The entry that follows `last`."""
        sequence, previous = (last.sequence + 1, last.hash) if last else (1, GENESIS)
        unsigned = Entry(
            sequence,
            self.time,
            epoch,
            self.kind,
            self.workload,
            self.key,
            self.actor,
            self.body,
            previous,
            "",
            "",
        )
        digest = hash_of(unsigned)
        return Entry(*_chained(unsigned), digest, signature_of(digest, signing_key))


def canonical(body: Mapping[str, Any], kind: str) -> str:
    """The one text of a JSON object: sorted keys, no spaces, UTF-8, no NaN."""
    try:
        text = _dump(dict(body))
        again = _dump(json.loads(text))  # differs where keys were no strings and two of them became one
    except (TypeError, ValueError) as error:
        raise PermanentError(f"The body of a fact {kind!r} cannot be recorded as JSON: {error}.") from error
    if again != text:
        raise PermanentError(
            f"The body of a fact {kind!r} cannot be recorded as JSON: two of its keys have the same text."
        )
    _check_text(text, f"the body of a fact {kind!r}")
    return text


def hash_of(entry: Entry) -> str:
    """SHA-256 over all of an entry but its hash and signature; the time goes in by its bits."""
    parts = [part.hex() if isinstance(part, float) else part for part in _chained(entry)]
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    # A changed database may hold bytes that are not UTF-8: they reach us escaped and must only make the hash differ.
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def signature_of(digest: str, signing_key: bytes) -> str:
    """HMAC-SHA256 of an entry's hash."""
    return hmac.digest(signing_key, f"fact:{digest}".encode(errors="surrogateescape"), "sha256").hex()


def _chained(entry: Entry) -> tuple[int, float, int, str, str, str, str, str, str]:
    return (
        entry.sequence,
        entry.time,
        entry.epoch,
        entry.kind,
        entry.workload,
        entry.key,
        entry.actor,
        entry.body,
        entry.previous,
    )


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _check_text(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PermanentError(f"Cannot record {what}: {text[:100]!r} is not valid Unicode text.") from error
    if "\0" in text:
        raise PermanentError(f"Cannot record {what}: {text[:100]!r} holds a NUL character.")
