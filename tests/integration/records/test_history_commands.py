"""`loopwright history` on a state in which nothing runs."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from driving import Here
from story import Story

from loopwright.state import StateFolder

COLUMNS = ["time", "epoch", "kind", "workload", "key", "actor", "body", "previous", "hash", "signature"]


def lines(records: Here, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in records("history", *words, "--json").stdout.splitlines()]


def sequences(records: Here, *words: str) -> list[int]:
    return [fact["sequence"] for fact in lines(records, "--limit", "1000", *words)]


def test_each_fact_is_a_line_of_json_oldest_first(records: Here, story: Story) -> None:
    found = lines(records, "--limit", "1000")
    assert [fact["sequence"] for fact in found] == list(range(1, len(found) + 1))
    assert len([fact for fact in found if fact["workload"] == "titanic"]) == len(story.facts) - 1
    assert len(lines(records)) == 50


def test_facts_are_filtered_by_actor_kind_and_workload(records: Here) -> None:
    bobs = lines(records, "--actor", "bob", "--workload", "tit")
    assert {fact["kind"] for fact in bobs} == {"approval.decided"}
    assert [fact["body"]["decision"] for fact in bobs] == ["approve", "reject"]
    kinds = {fact["kind"] for fact in lines(records, "--kind", "approval.*", "--limit", "1000")}
    assert kinds == {"approval.requested", "approval.decided"}


def test_facts_are_filtered_by_time(records: Here) -> None:
    first, second = "2026-01-01T23:59:59+00:00", "2026-01-02T23:59:59+00:00"
    day = lines(records, "--since", first, "--until", second, "--limit", "1000")
    assert {fact["time"][:10] for fact in day} == {"2026-01-02"}
    everything = sequences(records)
    parts = (
        sequences(records, "--until", first),
        [fact["sequence"] for fact in day],
        sequences(records, "--since", second),
    )
    assert sorted(one for part in parts for one in part) == everything


def test_a_version_in_place_of_a_workload_is_both(records: Here) -> None:
    assert sequences(records, "--workload", "tit:2") == sequences(records, "--object", "titanic:2") != []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "titanic:2",
            {"step.succeeded", "release.completed", "alias.moved", "approval.requested", "approval.decided"},
        ),
        ("titanic-2-prod", {"approval.requested", "approval.decided", "step.succeeded"}),
        ("churn-1-prod", {"approval.requested", "approval.decided", "step.succeeded"}),
        ("titanic@prod", {"route.wanted", "alias.moved"}),
        ("9" * 40, set()),
    ],
)
def test_facts_are_filtered_by_what_they_are_about(records: Here, name: str, expected: set[str]) -> None:
    assert {fact["kind"] for fact in lines(records, "--object", name, "--limit", "1000")} == expected


def test_facts_are_found_by_the_beginning_of_a_digest(records: Here, story: Story) -> None:
    digest = story.packages[2]["digest"]
    for name in (digest, digest[:13], digest.removeprefix("sha256:")[:8]):
        kinds = {fact["kind"] for fact in lines(records, "--object", name)}
        assert kinds == {"step.succeeded", "approval.requested", "release.completed"}


def test_a_change_is_not_taken_for_another_with_a_longer_number(tmp_path: Path) -> None:
    story = Story()
    for _ in range(11):
        story.tell("change.completed", story.request(), {})
    story.write(StateFolder(tmp_path))
    found = lines(Here(tmp_path), "--object", "titanic-1")
    assert {fact["key"] for fact in found} == {"titanic-1"}


def test_more_than_the_limit_is_told(records: Here) -> None:
    assert "These are the newest 3; more match." in records("history", "--limit", "3").stdout
    assert "more match" not in records("history", "--limit", "1000").stdout


def test_where_nothing_matches_what_there_is_is_told(records: Here) -> None:
    assert (
        "No fact matches. Actors here: ann, bob, loopwright." in records("history", "--actor", "zed").stdout
    )
    assert "No fact matches. Kinds here: alias.moved," in records("history", "--kind", "release").stdout
    assert "Did you mean titanic?" in records("history", "--workload", "titanik", expect=1).stderr
    assert lines(records, "--actor", "zed") == []


def test_what_served_at_a_moment_with_all_that_an_auditor_asks(records: Here) -> None:
    words = ("--workload", "titanic", "--environment", "prod")
    text = records("history", "--at", "2026-01-03T12:00+00:00", *words).stdout
    for told in (
        "titanic:2 since",
        "approved by bob at",
        ": seen with operations",
        "1400 rows",
        "b" * 40,
        "revision",
    ):
        assert told in text
    (found,) = records.json("history", "--at", "2026-01-01T12:00+00:00", *words)
    assert (found["version"]["name"], found["serving"], found["data"]["rows"]) == ("titanic:1", True, 1317)
    assert found["release"]["approvals"][0]["automatic"] is True


def test_before_the_first_release_nothing_served(records: Here) -> None:
    text = records("history", "--at", "2025-12-31").stdout
    assert text.count("nothing served; nothing had been released there yet") == 4
    now = records.json("history", "--at", "now", "--workload", "titanic")
    assert [one["release"]["version"] for one in now] == ["titanic:3", "titanic:2"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--at", "2999-01-01"), "still to come"),
        (("--since", "soon"), "expected a time such as"),
        (("--at", "now", "--actor", "bob"), "--at does not take --actor"),
        (("--since", "2026-01-03", "--until", "2026-01-02"), "is later than --until (2026-01-02T23:59:59"),
        (("verify", "--since", "2h"), "verify does not take --since"),
        (("--environment", "prod"), "does not take --environment"),
        (("export",), "needs the name of the FILE"),
        (("--limit", "0"), "at least 1"),
    ],
)
def test_what_does_not_go_together_is_refused(records: Here, words: tuple[str, ...], expected: str) -> None:
    assert expected in records("history", *words, expect=2).stderr


@pytest.fixture
def copy(records: Here, tmp_path: Path) -> Here:
    """A ledger to tamper with."""
    return Here(Path(shutil.copytree(records.home, tmp_path / "copy")))


def tamper(copy: Here, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(copy.home / "ledger.db", isolation_level=None)) as connection:
        connection.executescript("DROP TRIGGER facts_stay; DROP TRIGGER facts_remain;")
        connection.execute(statement, values)


@pytest.mark.parametrize("column", COLUMNS)
def test_verify_names_the_first_fact_that_was_changed(copy: Here, column: str) -> None:
    value = "x" if column not in ("time", "epoch") else 7
    for sequence in (30, 20):
        change = f"UPDATE facts SET {column} = ? WHERE sequence = {sequence}"  # noqa: S608
        with closing(sqlite3.connect(copy.home / "ledger.db", isolation_level=None)) as connection:
            connection.execute("DROP TRIGGER IF EXISTS facts_stay")
            connection.execute(change, (value,))
    said = copy("history", "verify", expect=1).stdout
    assert said.startswith("Fact 20 was ")
    assert "the 19 before it are as they were written" in said


def test_verify_sees_a_tail_that_was_cut_off(copy: Here) -> None:
    tamper(copy, "DELETE FROM facts WHERE sequence > ?", 40)
    assert copy("history", "verify", expect=1).stdout.startswith("Fact 41 is missing: ")


def test_verify_sees_a_head_that_was_replaced(copy: Here) -> None:
    tamper(copy, "DELETE FROM facts WHERE sequence > ?", 40)
    with closing(sqlite3.connect(copy.home / "ledger.db")) as connection:
        last = connection.execute("SELECT hash FROM facts WHERE sequence = 40").fetchone()[0]
    head = copy.home / "ledger.head"
    head.write_text(json.dumps(json.loads(head.read_text()) | {"sequence": 40, "hash": last}))
    assert "was not signed with this ledger's key" in copy("history", "verify", expect=1).stdout


def rows_of(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8", newline="") as content:
        return (
            list(csv.DictReader(content)) if file.suffix == ".csv" else [json.loads(line) for line in content]
        )


@pytest.mark.parametrize("name", ["history.csv", "history.jsonl"])
def test_an_export_is_checked_with_nothing_but_its_anchor(records: Here, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    assert "facts to" in records("history", "export", str(file)).stdout
    anchor = json.loads((tmp_path / f"{name}.anchor.json").read_text())
    assert hashlib.sha256(file.read_bytes()).hexdigest() == anchor["sha256"]
    previous = "0" * 64
    rows = rows_of(file)
    for row in rows:
        parts = [int(row["sequence"]), row["time_bits"], int(row["epoch"]), row["kind"], row["workload"]]
        parts += [row["key"], row["actor"], row["body"], row["previous"]]
        text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        assert row["previous"] == previous
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert row["hash"] == previous
    assert (len(rows), previous) == (anchor["facts"], anchor["last_hash"])


def test_no_export_replaces_a_file_or_vouches_for_a_broken_record(copy: Here, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    copy("history", "export", str(file))
    before = file.read_bytes()
    assert "is there already" in copy("history", "export", str(file), expect=1).stderr
    tamper(copy, "UPDATE facts SET actor = 'eve' WHERE sequence = 5")
    assert "Nothing was exported" in copy("history", "export", str(tmp_path / "other.jsonl"), expect=1).stderr
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "copy",
        "history.jsonl",
        "history.jsonl.anchor.json",
    ]
