"""A PostgreSQL server as the ledger uses it: how it is named, connected to, and what its errors mean for us.

`psycopg` is imported by this module alone and those that build on it, and they only where a state folder names such a
server: it is an extra, and nothing of it belongs on the path of a command that does without.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from loopwright.errors import IntegrityError, LoopwrightError, MachineError, TemporaryError

Connection = psycopg.Connection[tuple[Any, ...]]

# Of a session: a dead network is noticed within some ten seconds, and nobody waits longer for a row than for a disk.
_DEFAULTS = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
_LOCK_TIMEOUT = 10_000  # milliseconds that an append waits for another's
_IDLE_TIMEOUT = (
    30_000  # milliseconds after which the server ends a transaction whose process was stopped in it
)
_AGAIN = 1.0  # seconds until an append is worth another try
_REFUSED = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied",
)
_PASSING = (
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.QueryCanceled,
    errors.TooManyConnections,
    errors.IdleInTransactionSessionTimeout,
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
)


@dataclass(frozen=True)
class Server:
    """A database by its URL, which never holds a password."""

    url: str

    def connect(self) -> Connection:
        """A new session that commits each statement by itself. Raises psycopg's errors; see `explained`."""
        settings: dict[str, Any] = {**_DEFAULTS, **conninfo_to_dict(self.url)}
        settings["application_name"] = f"loopwright on {socket.gethostname()[:30]}, pid {os.getpid()}"
        connection: Connection = psycopg.connect(**settings, autocommit=True)
        try:
            connection.execute(f"SET lock_timeout = {_LOCK_TIMEOUT}")
            connection.execute(f"SET idle_in_transaction_session_timeout = {_IDLE_TIMEOUT}")
            # A server may be set to acknowledge what is not on its disk yet; this ledger promises that it is.
            connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
            )
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what PostgreSQL says into one of our errors."""
        try:
            yield
        except psycopg.Error as error:
            raise self._explain(error) from error

    def _explain(self, error: psycopg.Error) -> LoopwrightError:
        said = " ".join(str(error).split())
        if isinstance(error, errors.DataCorrupted | errors.IndexCorrupted | errors.UndefinedTable):
            return IntegrityError(f"The ledger {self.url} is damaged ({said}). Restore it from a backup.")
        if isinstance(error, _PASSING):
            return TemporaryError(f"The ledger {self.url} does not take part just now ({said}).", _AGAIN)
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and error.sqlstate is None
        if lost and not any(words in said for words in _REFUSED):
            return TemporaryError(f"The ledger {self.url} cannot be reached ({said}).", _AGAIN)
        return MachineError(
            f"The ledger {self.url} cannot be used: {said}. Mend the address or the rights of its user; a password comes from "
            "PGPASSWORD or ~/.pgpass."
        )


def is_lost(connection: Connection | None, error: psycopg.Error | None = None) -> bool:
    """Whether a session has ended, or can do nothing more."""
    return (
        connection is None
        or connection.closed
        or connection.broken
        or isinstance(error, errors.AdminShutdown)
    )
