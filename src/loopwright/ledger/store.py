"""The seam between the ledger and what keeps its rows: SQLite in the state folder now, PostgreSQL for a team later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from loopwright.ledger.facts import Entry

Column = Literal["kind", "workload", "key", "actor"]


@dataclass(frozen=True)
class Query:
    """Which entries: None matches all. In order of sequence, or, with `newest_first`, against it."""

    kind: str | None = None
    workload: str | None = None
    key: str | None = None
    after: int = 0  # only greater sequences
    limit: int | None = None
    newest_first: bool = False
    kinds: tuple[str, ...] | None = None  # any of these
    actor: str | None = None
    since: float | None = None  # seconds since the epoch; that moment itself counts
    until: float | None = None  # that moment itself counts
    before: int | None = None  # only smaller sequences
    mentions: tuple[str, ...] | None = (
        None  # one of these stands in the key or the stored body, case told apart
    )


class Transaction(Protocol):
    """Inside it no other process or thread appends."""

    def select(self, query: Query) -> list[Entry]:
        """The matching entries."""

    def insert(self, entry: Entry) -> None:
        """Add one entry; visible to others, and durable, once the transaction has ended."""


class Store(Protocol):
    """Keeps entries; knows nothing of what they mean. Safe to use from several threads.

    Raises IntegrityError where the rows cannot be read any more, MachineError where the machine fails (space, rights),
    TemporaryError where others keep the store busy for too long.
    """

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Exclusive: durably committed at the end, rolled back on an exception."""

    def select(self, query: Query) -> list[Entry]:
        """The matching entries that are committed."""

    def count(self, query: Query) -> int:
        """How many match; `limit` and order do not count."""

    def distinct(self, column: Column, kind: str | None = None) -> list[str]:
        """Every value that entries (of a kind) have there, sorted."""

    def scan(self) -> Iterator[Entry]:
        """All entries in order, as of one moment, without keeping writers waiting."""

    def close(self) -> None:
        """Let go of files and connections."""
