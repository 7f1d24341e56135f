"""The ledger's tables in PostgreSQL, and how they came to be: one migration after the other, each applied once.

The row of `loopwright_ledger` is what appends lock, so that they come one at a time. Facts are kept by triggers: even
the tables' owner changes one only by taking the trigger away first, and then the chain of hashes tells.
"""

from __future__ import annotations

from loopwright.errors import MachineError
from loopwright.ledger.postgresql_server import Connection, Server

MIGRATIONS = (
    """
    CREATE TABLE loopwright_ledger (id integer PRIMARY KEY CHECK (id = 1));
    INSERT INTO loopwright_ledger VALUES (1);
    CREATE TABLE loopwright_facts (
        sequence bigint PRIMARY KEY, time double precision NOT NULL, epoch bigint NOT NULL, kind text NOT NULL,
        workload text NOT NULL, key text NOT NULL, actor text NOT NULL, body text NOT NULL, previous text NOT NULL,
        hash text NOT NULL, signature text NOT NULL);
    CREATE INDEX loopwright_facts_by_key ON loopwright_facts (kind, workload, key);
    CREATE FUNCTION loopwright_keep() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'facts are append-only'; END $$;
    CREATE TRIGGER facts_stay BEFORE UPDATE OR DELETE ON loopwright_facts
        FOR EACH ROW EXECUTE FUNCTION loopwright_keep();
    CREATE TRIGGER facts_remain BEFORE TRUNCATE ON loopwright_facts
        FOR EACH STATEMENT EXECUTE FUNCTION loopwright_keep();
    """,
    # The newest, or the first, of a kind is found without sorting all of them.
    "CREATE INDEX loopwright_facts_in_order ON loopwright_facts (kind, workload, sequence);",
)
_SETTING_UP = 19_544  # the advisory lock of who looks at the schema


def prepare(connection: Connection, server: Server, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Bring the tables to the newest format; raises MachineError where they are of a newer Loopwright."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))", (_SETTING_UP,))
        known = _version(connection)
        if known > len(migrations):
            raise MachineError(
                f"The ledger {server.url} has format {known}; this Loopwright knows formats up to {len(migrations)}. "
                "Install a newer Loopwright."
            )
        for number, statements in enumerate(migrations[known:], start=known + 1):
            connection.execute(statements.encode())
            connection.execute("INSERT INTO loopwright_migrations (version) VALUES (%s)", (number,))


def _version(connection: Connection) -> int:
    there = connection.execute("SELECT to_regclass('loopwright_migrations')").fetchone()
    if there is None or there[0] is None:
        connection.execute(
            "CREATE TABLE loopwright_migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
    row = connection.execute("SELECT coalesce(max(version), 0) FROM loopwright_migrations").fetchone()
    return int(row[0]) if row else 0
