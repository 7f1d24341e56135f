"""The team's store: tables in a PostgreSQL database, every commit on the server's disk before it is acknowledged.

A session that was lost while nothing was under way is replaced without a word; one that is lost in the middle of
something raises TemporaryError, and whether a commit then came through is the ledger's to find out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple
from typing import Any, TypeVar

import psycopg

from loopwright.ledger.facts import Entry
from loopwright.ledger.postgresql_schema import prepare
from loopwright.ledger.postgresql_server import Connection, Server, is_lost
from loopwright.ledger.store import Column, Query

T = TypeVar("T")

_COLUMNS = "sequence, time, epoch, kind, workload, key, actor, body, previous, hash, signature"
_AT_ONCE = 1000  # rows that a scan fetches at a time


class _Session:
    """A connection that is made anew where it was lost; use it under `lock`."""

    def __init__(self, server: Server) -> None:
        self.lock = threading.RLock()
        self._server = server
        self._connection: Connection | None = None

    def first(self, act: Callable[[Connection], T]) -> T:
        """Do the first thing of a piece of work; once more on a new connection where the old one turns out dead."""
        fresh = self._connection is None
        try:
            return act(self._live())
        except psycopg.Error as error:
            if fresh or not is_lost(self._connection, error):
                raise
        self.close()
        return act(self._live())

    def _live(self) -> Connection:
        if self._connection is None or is_lost(self._connection):
            self.close()
            self._connection = self._server.connect()
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresTransaction:
    """An open transaction that holds the ledger's row."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def select(self, query: Query) -> list[Entry]:
        """The matching entries, those inserted here included."""
        return _select(self._connection, query)

    def insert(self, entry: Entry) -> None:
        """Add one entry."""
        places = ", ".join(["%s"] * 11)
        statement = f"INSERT INTO loopwright_facts ({_COLUMNS}) VALUES ({places})"  # noqa: S608
        self._connection.execute(statement.encode(), astuple(entry))


class PostgresStore:
    """Implements `Store`. Writes and reads have their own connections, so that reading never waits for a commit."""

    def __init__(self, url: str) -> None:
        self._server = Server(url)
        self._writer, self._reader = _Session(self._server), _Session(self._server)
        try:
            with self._server.explained():
                self._writer.first(lambda connection: prepare(connection, self._server))
        except BaseException:
            self._writer.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        """Exclusive among all clients by the lock of the ledger's one row."""
        with self._writer.lock, self._server.explained():
            connection = self._writer.first(_begin)
            try:
                yield PostgresTransaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                if is_lost(connection):
                    self._writer.close()
                else:
                    connection.execute("ROLLBACK")
                raise

    def select(self, query: Query) -> list[Entry]:
        """The matching entries that are committed."""
        return self._read(lambda connection: _select(connection, query))

    def count(self, query: Query) -> int:
        """How many match."""
        where, values = _where(query)
        statement = f"SELECT count(*) FROM loopwright_facts{where}"  # noqa: S608
        return self._read(
            lambda connection: int(connection.execute(statement.encode(), values).fetchall()[0][0])
        )

    def distinct(self, column: Column, kind: str | None = None) -> list[str]:
        """Every value that entries (of a kind) have there, sorted."""
        statement = f"SELECT DISTINCT {column} FROM loopwright_facts WHERE %s::text IS NULL OR kind = %s"  # noqa: S608
        rows = self._read(lambda connection: connection.execute(statement.encode(), (kind, kind)).fetchall())
        return sorted(row[0] for row in rows)

    def scan(self) -> Iterator[Entry]:
        """All entries of one snapshot, by a cursor on a connection of its own."""
        with self._server.explained(), closing(self._server.connect()) as connection:
            statement = f"SELECT {_COLUMNS} FROM loopwright_facts ORDER BY sequence"  # noqa: S608
            with connection.transaction(), connection.cursor("scan") as cursor:
                cursor.itersize = _AT_ONCE
                for row in cursor.execute(statement.encode()):
                    yield Entry(*row)

    def close(self) -> None:
        """Close both connections."""
        with self._writer.lock, self._reader.lock:
            self._reader.close()
            self._writer.close()

    def _read(self, act: Callable[[Connection], T]) -> T:
        with self._reader.lock, self._server.explained():
            return self._reader.first(act)


def _begin(connection: Connection) -> Connection:
    connection.execute("BEGIN")
    try:
        connection.execute("SELECT 1 FROM loopwright_ledger WHERE id = 1 FOR UPDATE")
    except BaseException:
        if not is_lost(connection):
            connection.execute("ROLLBACK")
        raise
    return connection


def _select(connection: Connection, query: Query) -> list[Entry]:
    where, values = _where(query)
    order = "DESC" if query.newest_first else "ASC"
    statement = f"SELECT {_COLUMNS} FROM loopwright_facts{where} ORDER BY sequence {order} LIMIT %s"  # noqa: S608
    return [Entry(*row) for row in connection.execute(statement.encode(), (*values, query.limit))]


def _where(query: Query) -> tuple[str, list[Any]]:
    conditions, values = ["sequence > %s"], list[Any]([query.after])
    for condition, value in (
        ("kind = %s", query.kind),
        ("workload = %s", query.workload),
        ("key = %s", query.key),
        ("actor = %s", query.actor),
        ("time >= %s", query.since),
        ("time <= %s", query.until),
        ("sequence < %s", query.before),
        ("kind = ANY(%s)", None if query.kinds is None else list(query.kinds)),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if query.mentions is not None:
        each = ["strpos(key, %s) > 0 OR strpos(body, %s) > 0"] * len(query.mentions)
        conditions.append(f"({' OR '.join(each) or 'FALSE'})")
        values += [text for text in query.mentions for _ in range(2)]
    return " WHERE " + " AND ".join(conditions), values
