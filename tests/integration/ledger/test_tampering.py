"""Any change to the stored rows is found, and nothing is built on top of one."""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loopwright.errors import IntegrityError
from loopwright.ledger import Ledger, Verification

FACTS = 6
COLUMNS = [
    "sequence",
    "time",
    "epoch",
    "kind",
    "workload",
    "key",
    "actor",
    "body",
    "previous",
    "hash",
    "signature",
]
VALUES = (
    st.integers(-5, 20)
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.binary(max_size=4)
    | st.just('{"n": 1}')
)


def opened(folder: Path) -> Ledger:
    return Ledger.open(folder / "ledger.db", folder / "ledger.key", folder / "ledger.head")


def tamper(folder: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as connection:
        connection.executescript("DROP TRIGGER facts_stay; DROP TRIGGER facts_remain;")
        for statement, values in statements:
            connection.execute(statement, values)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a closed ledger of six facts."""
    folder = tmp_path_factory.mktemp("template")
    with closing(opened(folder)) as ledger:
        ledger.take_over(now=1.0)
        for number in range(FACTS - 1):
            ledger.append("step", "titanic", str(number), {"n": number}, "ann", 2.0 + number)
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path, dirs_exist_ok=True))


def verdict(folder: Path) -> Verification:
    with closing(opened(folder)) as ledger:
        return ledger.verify()


def rows(folder: Path) -> Iterator[tuple[object, ...]]:
    types = ", ".join(f"typeof({column})" for column in COLUMNS)
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.text_factory = bytes
        yield from connection.execute(f"SELECT *, {types} FROM facts ORDER BY sequence")  # noqa: S608


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.integers(1, FACTS), column=st.sampled_from(COLUMNS), value=VALUES)
def test_any_change_of_a_value_is_found(template: Path, sequence: int, column: str, value: object) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(template, name, dirs_exist_ok=True))
        before = list(rows(folder))
        try:
            tamper(folder, (f"UPDATE facts SET {column} = ? WHERE sequence = ?", (value, sequence)))  # noqa: S608
        except (sqlite3.IntegrityError, sqlite3.OperationalError):
            return  # SQLite itself refuses the value
        found = verdict(folder)
        changed = list(rows(folder)) != before
        assert found.ok is not changed
        if changed and column != "sequence":
            assert found.broken == sequence


@pytest.mark.parametrize("sequence", range(1, FACTS))
def test_a_removed_fact_is_named(folder: Path, sequence: int) -> None:
    tamper(folder, ("DELETE FROM facts WHERE sequence = ?", (sequence,)))
    assert verdict(folder).broken == sequence


def test_two_facts_in_each_others_place_are_named(folder: Path) -> None:
    move = "UPDATE facts SET sequence = ? WHERE sequence = ?"
    tamper(folder, (move, (99, 3)), (move, (3, 4)), (move, (4, 99)))
    assert verdict(folder).broken == 3


def test_text_that_is_no_text_is_found(folder: Path) -> None:
    tamper(folder, ("UPDATE facts SET actor = CAST(x'ff' AS TEXT) WHERE sequence = ?", (2,)))
    assert verdict(folder).broken == 2


@pytest.mark.parametrize("left", [0, 1, 4, FACTS - 1])
def test_nothing_is_recorded_on_top_of_a_cut_off_tail(folder: Path, left: int) -> None:
    tamper(folder, ("DELETE FROM facts WHERE sequence > ?", (left,)))
    assert (verdict(folder).ok, verdict(folder).broken) == (False, left + 1)
    with (
        closing(opened(folder)) as ledger,
        pytest.raises(IntegrityError, match=f"Fact {left + 1} is missing"),
    ):
        ledger.take_over(now=9.0)
    assert verdict(folder).broken == left + 1


def test_an_older_database_put_back_under_a_running_ledger_is_noticed(folder: Path) -> None:
    with closing(opened(folder)) as ledger:
        ledger.append("step", "titanic", "new", {}, "ann", 9.0)
        tamper(folder, ("DELETE FROM facts WHERE sequence > ?", (FACTS,)))
        with pytest.raises(IntegrityError, match=f"Fact {FACTS + 1}"):
            ledger.append("step", "titanic", "newer", {}, "ann", 10.0)


def test_a_head_set_back_to_fit_a_cut_off_tail_is_not_signed(folder: Path) -> None:
    with closing(opened(folder)) as ledger:
        before = ledger.facts()[3]
    tamper(folder, ("DELETE FROM facts WHERE sequence > ?", (4,)))
    content = json.loads((folder / "ledger.head").read_bytes())
    (folder / "ledger.head").write_text(json.dumps({**content, "sequence": 4, "hash": before.hash}))
    assert "was not signed with this ledger's key" in verdict(folder).sentence


def test_an_entry_added_by_hand_is_found(folder: Path) -> None:
    tamper(
        folder,
        (
            "INSERT INTO facts SELECT 7, time, epoch, kind, workload, key, actor, body, hash, hash, signature FROM facts WHERE sequence = ?",
            (6,),
        ),
    )
    assert verdict(folder).broken == FACTS + 1
    with closing(opened(folder)) as ledger, pytest.raises(IntegrityError, match="Fact 7 was changed"):
        ledger.take_over(now=9.0)


def test_plain_statements_cannot_change_facts(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        for statement in ("UPDATE facts SET body = '{}'", "DELETE FROM facts"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
