"""The commands about what was made and released, on a state in which nothing runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driving import Here
from story import Story, sha


def test_models_lists_versions_with_what_they_were_made_of(records: Here, story: Story) -> None:
    lines = records("models", "titanic").stdout.splitlines()
    assert len(lines) == 4
    assert lines[2].split()[0] == "titanic:2"
    assert "bbbbbbbb+" in lines[2]
    found = records.json("models", "titanic")
    assert [one["name"] for one in found] == ["titanic:1", "titanic:2", "titanic:3"]
    assert found[1]["package"] == story.packages[2]["digest"]
    assert found[1]["registered_at"].endswith("+00:00")


@pytest.mark.parametrize(
    "words", [("titanic", "2"), ("titanic", "prod"), ("titanic:2",), ("ti", "titanic:2")]
)
def test_a_version_is_named_in_several_ways(records: Here, words: tuple[str, ...]) -> None:
    assert records("models", *words).stdout.splitlines()[0] == "titanic:2"
    assert records.json("models", *words)["rows"] == 1400


def test_a_version_is_told_in_full(records: Here) -> None:
    text = records("models", "titanic", "2").stdout
    for told in ("(1400 rows)", "and uncommitted changes", "accuracy=0.85", "holds: accuracy 0.85 >= 0.75"):
        assert told in text
    assert "prod approved by bob at 2026-01-02 " in text
    assert ": seen with operations" in text


def test_the_newest_approved_version_is_one_line(records: Here) -> None:
    for words in (("--newest-approved",), ("--newest-approved", "prod")):
        assert records("models", "titanic", *words).stdout == "titanic:2\n"
    assert records("models", "titanic", "--newest-approved", "dev").stdout == "titanic:3\n"
    found = records.json("models", "titanic", "--newest-approved")
    assert (found["approval"]["by"], found["serves"]) == ("bob", True)


def test_runs_lists_shows_and_compares(records: Here) -> None:
    first, second = (sha("run", f"titanic-{n}")[:32] for n in (2, 3))
    assert len(records("runs", "titanic").stdout.splitlines()) == 4
    assert first in records("runs", "titanic", first[:8]).stdout
    text = records("runs", "compare", first[:8], "titanic:3").stdout
    assert "parameter trees" in text
    assert "commit" in text
    found = records.json("runs", "compare", first, second)
    differ = {(row["section"], row["name"]): row["values"] for row in found["differences"]}
    assert differ["parameters", "trees"] == ["100", "200"]
    assert differ["metrics", "evaluation.accuracy"] == [0.85, 0.84]
    assert ("run", "data_version") not in differ
    assert "do not differ" in records("runs", "compare", first, first).stdout


def test_releases_say_from_when_until_when_by_whom(records: Here) -> None:
    lines = records("releases", "titanic", "--environment", "prod").stdout.splitlines()
    assert len(lines) == 3
    assert "ann automatically" in lines[1]
    assert "now" in lines[2]
    assert "bob (seen with operations)" in lines[2]
    found = records.json("releases", "titanic")
    assert [one["environment"] for one in found] == ["dev", "prod", "dev", "prod", "dev"]
    assert found[0]["until"] == found[2]["since"]


def test_packages_are_told_even_where_their_files_are_gone(records: Here, story: Story) -> None:
    digest = story.packages[1]["digest"]
    assert len(records("packages", "titanic").stdout.splitlines()) == 4
    text = records("packages", "titanic", digest.removeprefix("sha256:")[:8]).stdout
    assert digest in text
    assert "no longer in the store here" in text
    assert records.json("packages", "titanic", digest)["files"] is None
    assert records("packages", "titanic:1").stdout == text


def test_data_versions_are_told_with_owner_and_what_was_refused(records: Here) -> None:
    lines = records("data", "list", "titanic").stdout.splitlines()
    assert lines[3] == ""
    assert "archive@example.com" in lines[1]
    assert "age: 3 values below 0" in lines[5]
    text = records("data", "show", "titanic").stdout
    assert "1400: 1050 to train, 350 held out" in text
    assert "survived (classification): 0 62.0%, 1 38.0%" in text
    assert records.json("data", "show", "titanic", sha("data", 1317)[:10])["versions"][0]["rows"] == 1317
    assert records.json("data", "show", "titanic:1")["versions"][0]["rows"] == 1317


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("models", "titanik"), "No workload 'titanik' is known here. Did you mean titanic?"),
        (("models", "titanic", "9"), "titanic has no version '9'. Versions: 1, 2, 3; aliases: dev, prod."),
        (("models", "titanic", "--newest-approved", "prdo"), "Did you mean prod?"),
        (("runs", "nothing"), "No workload, run or version 'nothing' is known here."),
        (("releases", "titanic", "--environment", "stagin"), "Known: dev, prod."),
        (("packages", "titanic:9"), "titanic has no version '9'. Versions: 1, 2, 3"),
        (("data", "show", "titanic:9"), "titanic has no version '9'. Versions: 1, 2, 3"),
        (("packages", "titanic", "zz"), "No package 'zz' is known here."),
        (("data", "show", "titanic", "zz"), "No data version 'zz' is known here."),
    ],
)
def test_an_unknown_name_is_answered_with_what_comes_near(
    records: Here, words: tuple[str, ...], expected: str
) -> None:
    assert expected in records(*words, expect=1).stderr


@pytest.mark.parametrize(
    "words",
    [
        ("runs", "compare", "a"),
        ("models", "titanic", "1", "--newest-approved", "prod"),
        ("models", "--newest-approved"),
    ],
)
def test_what_is_not_understood_ends_with_status_2(records: Here, words: tuple[str, ...]) -> None:
    assert "[usage]" in records(*words, expect=2).stderr


def test_where_nothing_was_ever_done_every_list_says_so(tmp_path: Path) -> None:
    empty = Here(tmp_path)
    for words in (("models",), ("runs",), ("releases",), ("packages",), ("data", "list")):
        assert "holds no ledger" in empty(*words, expect=1).stderr
        assert json.loads(empty(*words, "--json", expect=1).stdout)["error"]["code"] == "not-found"
