"""One control plane per database: a lock that the PostgreSQL server lets go when its holder's session ends.

The session does nothing else. Lost, the lock is lost: until `check` has it back, its holder must not decide. Whether
another control plane held it in between is told by the epoch, which every fact carries.
"""

from __future__ import annotations

import psycopg

from loopwright.errors import ConflictError, StaleEpochError
from loopwright.ledger.postgresql_server import Connection, Server

_OURS = (
    19_543  # the first half of the lock's number; the second names the schema, so that each may hold a ledger
)
_TAKE = "SELECT pg_try_advisory_lock(%s, hashtext(current_schema()))"
_HOLDER = """
SELECT coalesce(max(a.application_name), '') FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s
AND l.objid::bigint = (hashtext(current_schema())::bigint & 4294967295)
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class AdvisoryLock:
    """Held on a connection of its own."""

    def __init__(self, url: str) -> None:
        self._server = Server(url)
        self._connection: Connection | None = None

    def acquire(self) -> None:
        """Take the lock; raises ConflictError, naming the holder, where another has it."""
        with self._server.explained():
            connection = self._server.connect()
            try:
                self._take(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection

    def _take(self, connection: Connection) -> None:
        if not connection.execute(_TAKE, (_OURS,)).fetchall()[0][0]:
            holder = connection.execute(_HOLDER, (_OURS,)).fetchall()[0][0] or "of another user"
            raise ConflictError(f"Another control plane ({holder}) holds the ledger {self._server.url}.")

    def check(self) -> None:
        """See that the lock is held, or have it back. Raises TemporaryError where the server cannot be reached, and
        StaleEpochError where another control plane has it now."""
        if self._connection is not None:
            try:
                self._connection.execute("SELECT 1")
            except psycopg.Error:
                self.release()
            else:
                return
        try:
            self.acquire()
        except ConflictError as error:
            raise StaleEpochError(f"{error.message} This one lost the lock and must stop.") from error

    def release(self) -> None:
        """Let go; a second call does nothing."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
