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
    """A file of today's format with one fact."""
    place = Place(tmp_path)
    with closing(place.open()) as ledger:
        ledger.take_over(now=1.0)
    return place


def test_a_file_is_brought_to_a_newer_format_and_an_older_program_refuses_it(place: Place) -> None:
    for _ in range(2):
        with closing(SqliteStore(place.folder / "ledger.db", NEWER)) as store:
            assert store.count(Query()) == 1
    today = len(MIGRATIONS)
    assert place.execute("PRAGMA user_version") == [(today + 1,)]
    with pytest.raises(
        MachineError, match=f"has format {today + 1}; this Loopwright knows formats up to {today}"
    ):
        place.open()


def test_the_newest_of_a_kind_is_found_without_sorting_also_in_a_file_of_release_0_2(tmp_path: Path) -> None:
    for migrations in (MIGRATIONS[:1], MIGRATIONS):
        SqliteStore(tmp_path / "ledger.db", migrations).close()
    question = "SELECT * FROM facts WHERE kind = 'a' AND workload = 'b' ORDER BY sequence DESC LIMIT 1"
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        (*_, way), *more = connection.execute(f"EXPLAIN QUERY PLAN {question}").fetchall()
    assert "facts_in_order" in way
    assert not more  # no sorting after it


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
