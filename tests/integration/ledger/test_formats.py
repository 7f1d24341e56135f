"""The ledger's file, from one format to the next."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ledgers import Place

from loopwright.errors import MachineError
from loopwright.ledger import Query
from loopwright.ledger.sqlite import MIGRATIONS, SqliteStore

NEWER = (
    *MIGRATIONS,
    "ALTER TABLE facts ADD COLUMN note TEXT NOT NULL DEFAULT ''; CREATE INDEX by_note ON facts (note);",
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A file of format 1 with one fact."""
    place = Place(tmp_path)
    with closing(place.open()) as ledger:
        ledger.take_over(now=1.0)
    return place


def test_a_file_is_brought_to_a_newer_format_and_an_older_program_refuses_it(place: Place) -> None:
    for _ in range(2):
        with closing(SqliteStore(place.folder / "ledger.db", NEWER)) as store:
            assert store.count(Query()) == 1
    assert place.execute("PRAGMA user_version") == [(2,)]
    with pytest.raises(MachineError, match="has format 2; this Loopwright knows formats up to 1"):
        place.open()


def test_a_step_that_fails_changes_nothing(place: Place) -> None:
    broken = (
        *MIGRATIONS,
        "ALTER TABLE facts ADD COLUMN note TEXT; ALTER TABLE nowhere ADD COLUMN note TEXT;",
    )
    with pytest.raises(MachineError, match="no such table"):
        SqliteStore(place.folder / "ledger.db", broken)
    with closing(sqlite3.connect(place.folder / "ledger.db")) as connection:
        assert (
            "note"
            not in connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'facts'").fetchone()[0]
        )
    with closing(place.open()) as ledger:
        assert ledger.verify().ok
