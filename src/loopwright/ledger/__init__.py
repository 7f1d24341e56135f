"""The ledger: everything that has happened, as append-only facts, each chained to the one before it.

Why: controllers decide from facts alone, so that a kill, an upgrade or a five-day wait changes nothing; and people can
trust the history, because a changed, removed or cut-off fact is found.

What comes in: facts to append (kind, workload, key, body, actor, time). What goes out: facts, in order, and a verdict on
whether they are what was written. Three files: the database, a key (0600), and the signed head, kept outside the
database so that a cut-off tail is seen. `Lock` keeps one control plane per state; `Ledger.take_over` makes the writes of
an earlier one stale.

The rows are in SQLite, a file of the state folder, or in PostgreSQL, where a team wants them there; `location` says which.

`facts` is the value and its hash, `verification` the verdict (both pure), `head` the key and the signed head, `store` the
interface to what keeps the rows, `sqlite` and `postgresql` (with its server, schema and advisory lock) its two
implementations, `ledger` puts them together; `lock` is the file lock, `hold` all locks of a control plane.

May import: state, errors.
"""

from __future__ import annotations

from loopwright.ledger.facts import Entry, Fact
from loopwright.ledger.hold import Hold
from loopwright.ledger.ledger import Ledger
from loopwright.ledger.location import exists, hold_of, open_ledger
from loopwright.ledger.lock import Lock
from loopwright.ledger.store import Query, Store, Transaction
from loopwright.ledger.verification import Head, Verification

__all__ = [
    "Entry", "Fact", "Head", "Hold", "Ledger", "Lock", "Query", "Store", "Transaction", "Verification", "exists", "hold_of",
    "open_ledger",
]  # fmt: skip
