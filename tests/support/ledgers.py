"""The same ledger in a file or in a PostgreSQL database: what the state tests run on."""

from __future__ import annotations

import json
import shutil
import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from loopwright.ledger import Ledger, open_ledger
from loopwright.state import StateFolder

COLUMNS = (
    *("sequence", "time", "epoch", "kind", "workload", "key", "actor", "body", "previous"),
    *("hash", "signature"),
)
_TABLES = ("loopwright_migrations", "loopwright_ledger", "loopwright_facts")


@dataclass(frozen=True)
class Place:
    """A state folder whose ledger is a file, or, with `url`, a database."""

    folder: Path
    url: str = ""

    def create(self) -> Place:
        """Name the database in settings.json, as a state folder that began with it does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.url:
            (self.folder / "settings.json").write_text(json.dumps({"ledger": self.url}))
        return self

    def open(self) -> Ledger:
        """The ledger, with connections of its own as another process would have them."""
        return open_ledger(StateFolder(self.folder))

    def copy(self, folder: Path) -> Place:
        """The same facts, key and head, elsewhere; without what keeps plain statements from changing facts."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        if not self.url:
            copied = Place(folder)
            copied.execute("DROP TRIGGER facts_stay")
            copied.execute("DROP TRIGGER facts_remain")
            return copied
        schema = f"copy_{uuid.uuid4().hex[:12]}"
        copies = "".join(
            f"CREATE TABLE {schema}.{table} (LIKE {table} INCLUDING ALL); INSERT INTO {schema}.{table} SELECT * FROM {table};"  # noqa: S608
            for table in _TABLES
        )
        self.execute(f"CREATE SCHEMA {schema}; {copies}")
        return Place(folder, f"{self.url}&options=-csearch_path%3D{schema}").create()

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """One statement past the ledger; its table is written `{facts}`, its values are `?`."""
        if self.url:
            with psycopg.connect(self.url, autocommit=True) as connection:
                text = statement.format(facts="loopwright_facts").replace("?", "%s")
                cursor = connection.execute(text.encode(), values or None)
                return cursor.fetchall() if cursor.description else []
        with closing(sqlite3.connect(self.folder / "ledger.db", isolation_level=None)) as sqlite:
            sqlite.text_factory = bytes
            return sqlite.execute(statement.format(facts="facts"), values).fetchall()

    def rows(self) -> list[tuple[Any, ...]]:
        """All that is stored, with the types it is stored in."""
        types = "" if self.url else "".join(f", typeof({column})" for column in COLUMNS)
        return self.execute(f"SELECT *{types} FROM {{facts}} ORDER BY sequence")  # noqa: S608


REFUSED = (
    sqlite3.IntegrityError,
    sqlite3.OperationalError,
    psycopg.Error,
)  # of a value by the database itself
