"""Where the records are read from: a living control plane's memory, or the ledger of a state in which none runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from loopwright.catalog import Store
from loopwright.errors import LoopwrightError, NotFoundError
from loopwright.ledger import Ledger, Query, exists, open_ledger
from loopwright.loop.book import Book
from loopwright.loop.lineage import Chronicle
from loopwright.loop.lineage.chronicle import KINDS
from loopwright.state import StateFolder

if TYPE_CHECKING:
    from loopwright.spec import Workload


@dataclass(frozen=True)
class Records:
    """The facts, and the store with the files that they name."""

    chronicle: Chronicle
    store: Store | None
    _specs: dict[str, Workload | None] = field(default_factory=dict)

    def spec(self, digest: str) -> Workload | None:
        """A spec as it was asked for; None where its file is no longer here or this version cannot read it."""
        if digest not in self._specs:
            from loopwright.spec import load_stored  # takes a while, and most questions do without

            try:
                self._specs[digest] = load_stored(self.store.file(digest)) if self.store and digest else None
            except LoopwrightError:
                self._specs[digest] = None
        return self._specs[digest]

    def tree(self, digest: str) -> Path | None:
        """A folder of the store; None where it is no longer here."""
        try:
            return self.store.tree(digest) if self.store else None
        except LoopwrightError:
            return None


def living(book: Book, store: Store) -> Records:
    """The records of this control plane as they are now. The loop is not kept waiting while they are read."""
    with book.locked():
        return Records(book.chronicle.copy(), store)


@contextmanager
def stopped(state: StateFolder) -> Iterator[Records]:
    """The records where no control plane runs."""
    with shelf(state) as (ledger, store), _without_collections():
        yield Records(Chronicle.of(ledger.find(Query(kinds=KINDS))), store)


@contextmanager
def shelf(state: StateFolder) -> Iterator[tuple[Ledger, Store | None]]:
    """The ledger and the store of a state in which no control plane runs."""
    ledger = open_stopped(state)
    try:
        yield ledger, Store(state.store) if state.store.exists() else None
    finally:
        ledger.close()


@contextmanager
def _without_collections() -> Iterator[None]:
    """Of the many values that are made here none goes before the end: to look for such ones doubles the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def open_stopped(state: StateFolder) -> Ledger:
    """The ledger of a state in which no control plane runs; raises NotFoundError where there is none."""
    if not exists(state):
        raise NotFoundError(
            f"{state.root} holds no ledger. `loopwright up DIR` starts one; --home names another state folder."
        )
    return open_ledger(state)
