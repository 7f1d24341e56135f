"""The embedded store: one SQLite file in WAL mode, every commit on the disk before it is acknowledged."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple
from pathlib import Path

from loopwright.errors import IntegrityError, LoopwrightError, MachineError, TemporaryError
from loopwright.ledger.facts import Entry
from loopwright.ledger.store import Column, Query

_BUSY_TIMEOUT = (
    10.0  # seconds that a writer waits for another process's transaction, which takes milliseconds
)
_COLUMNS = "sequence, time, epoch, kind, workload, key, actor, body, previous, hash, signature"
# How the file came to its newest format: one after the other, each applied once; PRAGMA user_version counts them.
MIGRATIONS = (
    """
CREATE TABLE IF NOT EXISTS facts (
    sequence INTEGER PRIMARY KEY, time REAL NOT NULL, epoch INTEGER NOT NULL, kind TEXT NOT NULL, workload TEXT NOT NULL,
    key TEXT NOT NULL, actor TEXT NOT NULL, body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL,
    signature TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS facts_by_key ON facts (kind, workload, key);
CREATE TRIGGER IF NOT EXISTS facts_stay BEFORE UPDATE ON facts BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;
CREATE TRIGGER IF NOT EXISTS facts_remain BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;
""",
    # The newest, or the first, of a kind is found without sorting all of them: an index ends with the sequence by itself.
    "CREATE INDEX facts_in_order ON facts (kind, workload);",
)
_FEW = 4  # kinds that are best looked up by the index
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class SqliteTransaction:
    """An open BEGIN IMMEDIATE."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def select(self, query: Query) -> list[Entry]:
        """The matching entries, those inserted here included."""
        return _select(self._connection, query)

    def insert(self, entry: Entry) -> None:
        """Add one entry."""
        places = ", ".join("?" * 11)
        self._connection.execute(f"INSERT INTO facts ({_COLUMNS}) VALUES ({places})", astuple(entry))  # noqa: S608


class SqliteStore:
    """Implements `Store`. Writes and reads have their own connections, so that reading never waits for the disk."""

    def __init__(self, path: Path, migrations: tuple[str, ...] = MIGRATIONS) -> None:
        self.path = path
        self._writing = threading.RLock()
        self._reading = threading.RLock()
        with _explained(path):
            self._writer = _prepare(path, migrations)
            self._reader = _connect(path)

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """Exclusive among threads by a lock, among processes by BEGIN IMMEDIATE."""
        with self._writing, _explained(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def select(self, query: Query) -> list[Entry]:
        """The matching entries that are committed."""
        with self._reading, _explained(self.path):
            return _select(self._reader, query)

    def count(self, query: Query) -> int:
        """How many match."""
        where, values = _where(query)
        with self._reading, _explained(self.path):
            return int(self._reader.execute(f"SELECT count(*) FROM facts{where}", values).fetchone()[0])  # noqa: S608

    def distinct(self, column: Column, kind: str | None = None) -> list[str]:
        """Every value that entries (of a kind) have there, sorted."""
        where, values = ("", ()) if kind is None else (" WHERE kind = ?", (kind,))
        with self._reading, _explained(self.path):
            rows = self._reader.execute(f"SELECT DISTINCT {column} FROM facts{where} ORDER BY 1", values)  # noqa: S608
            return [row[0] for row in rows]

    def scan(self) -> Iterator[Entry]:
        """All entries of one snapshot, on a connection of its own."""
        with _explained(self.path), closing(_connect(self.path)) as connection:
            # NOT INDEXED: the table itself is to be read, whatever an index says.
            rows = connection.execute(f"SELECT {_COLUMNS} FROM facts NOT INDEXED ORDER BY sequence")  # noqa: S608
            for row in rows:
                yield Entry(*row)

    def close(self) -> None:
        """Close both connections; the last to close folds the write-ahead log into the database."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()


def _prepare(path: Path, migrations: tuple[str, ...]) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(
        os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    )  # SQLite's own files take over this mode
    connection = _connect(path)
    try:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise MachineError(
                f"The ledger {path} cannot use SQLite's write-ahead log here (journal mode {mode!r}); keep the state folder on a local disk."
            )
        _migrate(connection, path, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path, migrations: tuple[str, ...]) -> None:
    """All steps or none; of two processes that open the file at once, the second finds it done."""

    def version() -> int:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])

    if version() > len(migrations):
        raise MachineError(
            f"The ledger {path} has format {version()}; this Loopwright knows formats up to {len(migrations)}. Install a newer Loopwright."
        )
    if version() == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in migrations[version() :]:
            for statement in _split(statements):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _split(statements: str) -> Iterator[str]:
    """One statement after the other: `executescript` would end the transaction that they are to share."""
    gathered = ""
    for part in statements.split(";"):
        gathered += part + ";"
        if sqlite3.complete_statement(gathered) and part.strip():
            yield gathered
            gathered = ""


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    # Bytes that are not UTF-8 come only from damage: they must reach the check of hashes, not stop it.
    connection.text_factory = lambda content: content.decode(errors="surrogateescape")
    return connection


def _select(connection: sqlite3.Connection, query: Query) -> list[Entry]:
    where, values = _where(query)
    order = "DESC" if query.newest_first else "ASC"
    limit = -1 if query.limit is None else query.limit
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM facts{where} ORDER BY sequence {order} LIMIT ?",  # noqa: S608
        (*values, limit),
    )
    return [Entry(*row) for row in rows]


def _where(query: Query) -> tuple[str, list[str | int | float]]:
    conditions, values = ["sequence > ?"], list[str | int | float]([query.after])
    for condition, value in (
        ("kind = ?", query.kind),
        ("workload = ?", query.workload),
        ("key = ?", query.key),
        ("actor = ?", query.actor),
        ("time >= ?", query.since),
        ("time <= ?", query.until),
        ("sequence < ?", query.before),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if query.kinds is not None:
        # Of many kinds there is more to sort than to skip: the plus keeps the index out of it.
        plain = "kind" if len(query.kinds) <= _FEW else "+kind"
        conditions.append(f"{plain} IN ({', '.join('?' * len(query.kinds))})")
        values += query.kinds
    if query.mentions is not None:
        each = ["instr(key, ?) > 0 OR instr(body, ?) > 0"] * len(query.mentions)
        conditions.append(f"({' OR '.join(each) or 'FALSE'})")
        values += [text for text in query.mentions for _ in range(2)]
    return " WHERE " + " AND ".join(conditions), values


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into one of our errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(error, path) from error
    except OSError as error:
        raise MachineError(
            f"The ledger {path} cannot be opened: {error.strerror}. Mend the state folder's permissions."
        ) from error


def _explain(error: sqlite3.Error, path: Path) -> LoopwrightError:
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of the code is detail
    if primary in _CORRUPT:
        return IntegrityError(
            f"The ledger {path} is damaged ({error}). Restore the state folder from a backup."
        )
    if primary in _BUSY:
        return TemporaryError(f"The ledger {path} is in use by another process ({error}).")
    return MachineError(
        f"The ledger {path} cannot be used: {error}. Check the disk's free space and the folder's permissions."
    )
