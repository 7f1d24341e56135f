"""Any change to the stored rows is found, and nothing is built on top of one."""

import json
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledgers import COLUMNS, REFUSED, Place

from loopwright.errors import IntegrityError
from loopwright.ledger import Verification

FACTS = 6
VALUES = (
    st.integers(-5, 20)
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.binary(max_size=4)
    | st.just('{"n": 1}')
)


@pytest.fixture(scope="module")
def template(new_place: Callable[[Path], Place], tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A closed ledger of six facts."""
    place = new_place(tmp_path_factory.mktemp("template"))
    with closing(place.open()) as ledger:
        ledger.take_over(now=1.0)
        for number in range(FACTS - 1):
            ledger.append("step", "titanic", str(number), {"n": number}, "ann", 2.0 + number)
    return place


@pytest.fixture
def copied(template: Place, tmp_path: Path) -> Place:
    """A copy of it, to be changed."""
    return template.copy(tmp_path)


def verdict(place: Place) -> Verification:
    with closing(place.open()) as ledger:
        return ledger.verify()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.integers(1, FACTS), column=st.sampled_from(COLUMNS), value=VALUES)
def test_any_change_of_a_value_is_found(template: Place, sequence: int, column: str, value: object) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = template.copy(Path(name))
        before = place.rows()
        try:
            place.execute(f"UPDATE {{facts}} SET {column} = ? WHERE sequence = ?", value, sequence)  # noqa: S608
        except REFUSED:
            return
        found = verdict(place)
        changed = place.rows() != before
        assert found.ok is not changed
        if changed and column != "sequence":
            assert found.broken == sequence


@pytest.mark.parametrize("sequence", range(1, FACTS))
def test_a_removed_fact_is_named(copied: Place, sequence: int) -> None:
    copied.execute("DELETE FROM {facts} WHERE sequence = ?", sequence)
    assert verdict(copied).broken == sequence


def test_two_facts_in_each_others_place_are_named(copied: Place) -> None:
    for there, here in ((99, 3), (3, 4), (4, 99)):
        copied.execute("UPDATE {facts} SET sequence = ? WHERE sequence = ?", there, here)
    assert verdict(copied).broken == 3


def test_text_that_is_no_text_is_found(copied: Place) -> None:
    if copied.url:
        pytest.skip("PostgreSQL stores nothing but text as text")
    copied.execute("UPDATE {facts} SET actor = CAST(x'ff' AS TEXT) WHERE sequence = ?", 2)
    assert verdict(copied).broken == 2


@pytest.mark.parametrize("left", [0, 1, 4, FACTS - 1])
def test_nothing_is_recorded_on_top_of_a_cut_off_tail(copied: Place, left: int) -> None:
    copied.execute("DELETE FROM {facts} WHERE sequence > ?", left)
    assert (verdict(copied).ok, verdict(copied).broken) == (False, left + 1)
    with (
        closing(copied.open()) as ledger,
        pytest.raises(IntegrityError, match=f"Fact {left + 1} is missing"),
    ):
        ledger.take_over(now=9.0)
    assert verdict(copied).broken == left + 1


def test_an_older_database_put_back_under_a_running_ledger_is_noticed(copied: Place) -> None:
    with closing(copied.open()) as ledger:
        ledger.append("step", "titanic", "new", {}, "ann", 9.0)
        copied.execute("DELETE FROM {facts} WHERE sequence > ?", FACTS)
        with pytest.raises(IntegrityError, match=f"Fact {FACTS + 1}"):
            ledger.append("step", "titanic", "newer", {}, "ann", 10.0)


def test_a_head_set_back_to_fit_a_cut_off_tail_is_not_signed(copied: Place) -> None:
    with closing(copied.open()) as ledger:
        before = ledger.facts()[3]
    copied.execute("DELETE FROM {facts} WHERE sequence > ?", 4)
    content = json.loads((copied.folder / "ledger.head").read_bytes())
    (copied.folder / "ledger.head").write_text(json.dumps({**content, "sequence": 4, "hash": before.hash}))
    assert "was not signed with this ledger's key" in verdict(copied).sentence


def test_an_entry_added_by_hand_is_found(copied: Place) -> None:
    copied.execute(
        "INSERT INTO {facts} SELECT 7, time, epoch, kind, workload, key, actor, body, hash, hash, signature FROM {facts} WHERE sequence = ?",
        6,
    )
    assert verdict(copied).broken == FACTS + 1
    with closing(copied.open()) as ledger, pytest.raises(IntegrityError, match="Fact 7 was changed"):
        ledger.take_over(now=9.0)


@pytest.mark.parametrize(
    "statement", ["UPDATE {facts} SET body = '{{}}'", "DELETE FROM {facts}", "TRUNCATE {facts}"]
)
def test_plain_statements_cannot_change_facts(template: Place, statement: str) -> None:
    if statement.startswith("TRUNCATE") and not template.url:
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(REFUSED, match="append-only"):
        template.execute(statement)
