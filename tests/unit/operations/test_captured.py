"""What an `up` brings along: groups of variables, and secrets that are there or refused with their place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from loopwright.errors import SpecError, UsageError
from loopwright.ledger import Ledger
from loopwright.loop.book import Book
from loopwright.operations.captured import Captured, capture, keep, wanted_of_caller
from loopwright.operations.declaration import read_declaration
from loopwright.secrets.providers import Secrets
from loopwright.state import StateFolder

SPEC = """\
apiVersion: loopwright/v1
workload: toy
owner: ada@example.com
data: {rows: {source: rows.csv, label: y}}
variables: {TOKEN: "secret:TOKEN"}
variable_groups: {GROUPS}
training: {command: "python t.py {data.rows.train} {variables.A} {outputs}", dependencies: {requirements: r.txt}}
serving: {entry: score.py}
environments: {prod: {}}
"""
GROUPS = "{all: {file: v.env}, one: {names: [A]}, more: {prefix: B_}}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "toy"
    folder.mkdir()
    files = {
        "rows.csv": "x,y\n1,2\n",
        "t.py": "",
        "score.py": "",
        "r.txt": "",
        "v.env": "C=c\nS=secret:OTHER\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    state = StateFolder(tmp_path / "state")
    state.create()
    with closing(Ledger.open(state.ledger, state.ledger_key, state.ledger_head)) as ledger:
        yield Book(ledger)


def captured(folder: Path, caller: dict[str, str], groups: str = GROUPS) -> tuple[Captured, dict[str, str]]:
    (folder / "loopwright.yaml").write_text(SPEC.replace("{GROUPS}", groups))
    declared = read_declaration(folder)
    secrets = Secrets(StateFolder(folder.parent), {})
    secrets.vault.set("OTHER", "other-value", "set", "ada", 1.0)
    return capture(declared, caller, secrets, {})


def problems(folder: Path, caller: dict[str, str], groups: str = GROUPS) -> list[str]:
    with pytest.raises(SpecError) as caught:
        captured(folder, caller, groups)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


CALLER = {"A": "a", "B_1": "b", "LOOPWRIGHT_SECRET_TOKEN": "token-value", "ELSE": "x"}


def test_groups_and_secrets_are_taken_from_where_they_are(folder: Path) -> None:
    found, brought = captured(folder, CALLER)
    assert found.groups == {"all": {"C": "c", "S": "secret:OTHER"}, "one": {"A": "a"}, "more": {"B_1": "b"}}
    assert found.secrets.keys() == {"TOKEN", "OTHER"}
    assert brought == {"TOKEN": "token-value"}


def test_the_caller_is_asked_for_no_more_than_is_needed(folder: Path) -> None:
    captured(folder, CALLER)
    needed = wanted_of_caller(read_declaration(folder).spec, folder)
    assert needed == {
        "names": ["A", "LOOPWRIGHT_SECRET_OTHER", "LOOPWRIGHT_SECRET_TOKEN"],
        "prefixes": ["B_"],
    }


def test_what_is_missing_is_told_with_its_place(folder: Path) -> None:
    told = problems(folder, {})
    assert told[0].startswith(
        "loopwright.yaml:5:20: variables.TOKEN: found the secret TOKEN, which is not set, expected"
    )
    assert (
        "variable_groups.one.names: found the variable A, which is not in the environment of `up`" in told[1]
    )
    assert "training.command: found the placeholder `{variables.A}`" in told[2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "A=1\nno value\n",
            "v.env:2:1: found a line that begins with `no value`, expected lines `NAME=value`.",
        ),
        ("A=1\nPATH=/x\n", "variable_groups.all: found the variable `PATH`, expected another name"),
        ("A=1\nX=secret:a b\n", "variable_groups.all: found the variable `X`, expected `secret:NAME`"),
        (
            "A=secret:OTHER\n",
            "training.command: found the placeholder `{variables.A}`, expected a plain variable",
        ),
    ],
)
def test_a_file_with_what_cannot_be_a_variable(folder: Path, text: str, told: str) -> None:
    (folder / "v.env").write_text(text)
    assert any(told in problem for problem in problems(folder, CALLER, "{all: {file: v.env}}"))


def test_a_secret_too_short_to_be_masked_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="TOKEN has 3 characters, expected at least 4"):
        captured(folder, CALLER | {"LOOPWRIGHT_SECRET_TOKEN": "abc"})


def test_a_secret_that_was_kept_just_before_a_crash_is_recorded_once_it_is_brought_again(
    book: Book, tmp_path: Path
) -> None:
    def told() -> list[str]:
        return [fact.kind for fact in book.ledger.facts()]

    secrets = Secrets(StateFolder(tmp_path / "state"), {})
    secrets.vault.set("TOKEN", "first-value", "environment", "ada", 1.0)  # and killed here
    for _ in range(2):
        keep({"TOKEN": "first-value"}, secrets, book, "ada")
        assert told() == ["secret.set"]
    secrets.vault.set("TOKEN", "other-value", "environment", "ada", 1.0)  # and here
    keep({"TOKEN": "other-value"}, secrets, book, "ada")
    book.append("secret.removed", "", "TOKEN", {"name": "TOKEN"}, "ada", 2.0)  # and here
    keep({"TOKEN": "other-value"}, secrets, book, "ada")
    assert told() == ["secret.set", "secret.set", "secret.removed", "secret.set"]
