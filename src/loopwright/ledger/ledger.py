"""The ledger itself: appends facts to a store, keeps the signed head in step, and answers questions about facts."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from loopwright.errors import ConflictError, IntegrityError, MachineError, StaleEpochError, TemporaryError
from loopwright.ledger import verification
from loopwright.ledger.facts import Draft, Entry, Fact
from loopwright.ledger.head import SignedHead, load_key
from loopwright.ledger.sqlite import SqliteStore
from loopwright.ledger.store import Column, Query, Store, Transaction
from loopwright.ledger.verification import Head, Verification

_log = logging.getLogger(__name__)


class Ledger:
    """Facts, appended durably one at a time. Safe to use from several threads; one process writes (see `Lock`)."""

    def __init__(self, store: Store, head: SignedHead) -> None:
        """Use `open`; this takes the parts as they are, with the epoch that the newest fact carries."""
        self._store = store
        self._head = head
        self._lock = threading.RLock()
        newest = store.select(Query(limit=1, newest_first=True))
        self.epoch = newest[0].epoch if newest else 0
        self._trusted: Head | None = None  # the end of the chain as this object last saw it to be good
        self._behind = False  # whether the head's file could not be written after the last append
        self._doubt: Entry | None = None  # what was sent when the store was lost: committed, or not

    @classmethod
    def open(cls, path: Path, key_path: Path, head_path: Path) -> Ledger:
        """Open the ledger in these files, or make a new one.

        Raises IntegrityError for a damaged database or a lost key, MachineError where the files cannot be used.
        """
        return cls.over(SqliteStore(path), key_path, head_path)

    @classmethod
    def over(cls, store: Store, key_path: Path, head_path: Path) -> Ledger:
        """As `open`, with any store, which is closed where it cannot be used."""
        try:
            fresh = not head_path.exists() and not store.select(Query(limit=1))
            head = SignedHead(head_path, load_key(key_path, may_create=fresh))
            if fresh:
                head.write(Head())  # before the first fact, so that from then on a missing head is an alarm
            return cls(store, head)
        except BaseException:
            store.close()
            raise

    def append(
        self, kind: str, workload: str, key: str, body: Mapping[str, Any], actor: str, now: float
    ) -> Fact:
        """Append a fact; returns once it is on the disk.

        Raises StaleEpochError where another control plane has taken over, PermanentError for a body that is not JSON,
        IntegrityError where facts were cut off, MachineError where the disk refuses.
        """
        return self._write(Draft.of(kind, workload, key, body, actor, now), once=False).fact()

    def append_once(
        self, kind: str, workload: str, key: str, body: Mapping[str, Any], actor: str, now: float
    ) -> Fact:
        """The newest fact of this kind, workload and key, or, where there is none, this one appended."""
        return self._write(Draft.of(kind, workload, key, body, actor, now), once=True).fact()

    def take_over(self, actor: str = "loopwright", now: float | None = None) -> int:
        """Begin a new epoch, recorded as `control.started`: whoever wrote before can write no more. Returns it."""
        moment = time.time() if now is None else now
        with self._lock:
            newest = self._store.select(Query(limit=1, newest_first=True))
            epoch = (newest[0].epoch if newest else 0) + 1
            draft = Draft.of("control.started", "", str(epoch), {"pid": os.getpid()}, actor, moment)
            self.epoch = self._write(draft, once=False, epoch=epoch).epoch
            return self.epoch

    def facts(
        self,
        kind: str | None = None,
        workload: str | None = None,
        key: str | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> list[Fact]:
        """The matching facts with a sequence greater than `after`, in order; None matches all."""
        return [entry.fact() for entry in self._store.select(Query(kind, workload, key, after, limit))]

    def find(self, query: Query) -> list[Fact]:
        """The facts that match all that the query says, in its order."""
        return [entry.fact() for entry in self._store.select(query)]

    def distinct(self, column: Column, kind: str | None = None) -> list[str]:
        """Every kind, workload, key or actor that facts (of a kind) have here, sorted."""
        return self._store.distinct(column, kind)

    def latest(self, kind: str, workload: str | None = None, key: str | None = None) -> Fact | None:
        """The newest matching fact."""
        entries = self._store.select(Query(kind, workload, key, limit=1, newest_first=True))
        return entries[0].fact() if entries else None

    def count(self, kind: str | None = None, workload: str | None = None, key: str | None = None) -> int:
        """How many facts match."""
        return self._store.count(Query(kind, workload, key))

    def verify(self, seen: Callable[[Entry], None] | None = None) -> Verification:
        """Check every fact and the signed head; may run while others append. `seen` is shown each entry before its check."""
        try:
            head = self._head.read()  # before the facts: while we read, these can only have gone further
        except IntegrityError as error:
            return Verification(False, 0, None, error.message)
        try:
            return verification.verify(_shown(self._store.scan(), seen), head, self._head.key)
        except IntegrityError as error:  # the database's own structure is damaged
            return Verification(False, 0, None, error.message)

    def scan(self) -> Iterator[Entry]:
        """Every entry as it is stored, as of one moment; may run while others append."""
        return self._store.scan()

    def newest_place(self) -> Head:
        """Where the newest fact stands."""
        newest = self._store.select(Query(limit=1, newest_first=True))
        return Head(newest[0].sequence, newest[0].hash) if newest else Head()

    def signed_head(self, place: Head) -> bytes:
        """The content of the head's file, were this the newest fact."""
        return self._head.content(place)

    def take_in(self, entries: Iterable[Entry]) -> None:
        """Fill an empty ledger with entries as they are, all or none; `verify` afterwards tells whether they hold."""
        with self._lock, self._store.transaction() as transaction:
            if transaction.select(Query(limit=1)):
                raise ConflictError("This ledger holds facts already; only an empty one can be filled.")
            for entry in entries:
                transaction.insert(entry)
                self.epoch = entry.epoch

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._store.close()

    def _write(self, draft: Draft, once: bool, epoch: int | None = None) -> Entry:
        with self._lock:
            self._catch_up()
            try:
                with self._store.transaction() as transaction:
                    last = next(iter(transaction.select(Query(limit=1, newest_first=True))), None)
                    self._check_end(transaction, last)
                    self._check_epoch(last, epoch)
                    if once:
                        query = Query(draft.kind, draft.workload, draft.key, limit=1, newest_first=True)
                        for known in transaction.select(query):
                            return known
                    entry = draft.entry(last, self.epoch if epoch is None else epoch, self._head.key)
                    self._doubt = entry
                    transaction.insert(entry)
            except TemporaryError:
                raise  # a connection lost while it was committed: `settle` finds out
            except BaseException:
                self._doubt = None  # rolled back
                raise
            self._doubt = None
            self._sign(entry)
            return entry

    def settle(self) -> bool:
        """Find out whether the last fact was committed, where the store was lost while it was appended.

        False where there was no doubt; after True, read again what came after the facts you know. Raises TemporaryError
        while the store cannot be reached.
        """
        with self._lock:
            if self._doubt is None:
                return False
            # In a transaction: it waits for the lost one, which may yet be under way where the store is.
            with self._store.transaction() as transaction:
                there = transaction.select(Query(after=self._doubt.sequence - 1, limit=1))
            if [entry.hash for entry in there] == [self._doubt.hash]:
                self._sign(self._doubt)
            self._doubt = None
            return True

    def _check_epoch(self, last: Entry | None, taking: int | None) -> None:
        current = last.epoch if last else 0
        expected = self.epoch if taking is None else taking - 1
        if current != expected:
            raise StaleEpochError(
                f"Another control plane has taken over this state (epoch {current}; this one has {self.epoch}); it must stop."
            )

    def _check_end(self, transaction: Transaction, last: Entry | None) -> None:
        """Refuse to build on a ledger whose end is not what was signed: going on would sign the loss away."""
        end = Head(last.sequence, last.hash) if last else Head()
        if end == self._trusted:
            return
        head = self._head.read()
        signed = transaction.select(Query(after=head.sequence - 1, limit=1)) if head.sequence else []
        tail = transaction.select(Query(after=head.sequence))
        stands = head == Head() or [(entry.sequence, entry.hash) for entry in signed] == [
            (head.sequence, head.hash)
        ]
        if not stands or not verification.verify(tail, head, self._head.key, start=head).ok:
            raise IntegrityError(
                f"Nothing can be recorded, because the ledger was changed. {self.verify().sentence} "
                "Restore the state folder from a backup."
            )
        self._trusted = end

    def _sign(self, entry: Entry) -> None:
        self._trusted = Head(entry.sequence, entry.hash)
        try:
            self._head.write(self._trusted)
        except MachineError as error:
            # The fact stands, it is committed and signed; only the next one must wait until the head can be written.
            self._behind = True
            _log.warning("%s", error.message, extra={"action": "ledger.head"})

    def _catch_up(self) -> None:
        self.settle()
        if self._behind and self._trusted is not None:
            self._head.write(self._trusted)
            self._behind = False


def _shown(entries: Iterable[Entry], seen: Callable[[Entry], None] | None) -> Iterator[Entry]:
    for entry in entries:
        if seen is not None:
            seen(entry)
        yield entry
