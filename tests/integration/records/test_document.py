"""docs/records.md: every command on it runs, and answers as it says there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import ROOT, Here

TEXT = (ROOT / "docs" / "records.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
SHOWN = [body for language, body in BLOCKS if language == "console"]
NAMED = [line for language, body in BLOCKS if language == "sh" for line in body.splitlines()]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's times are those of a machine in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def words(line: str) -> list[str]:
    program, *rest = shlex.split(line)
    assert program == "loopwright"
    return rest


def test_the_page_shows_something() -> None:
    assert len(SHOWN) >= 8
    assert len(NAMED) >= 8


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: block.splitlines()[0])
def test_an_answer_is_as_the_page_shows_it(records: Here, block: str) -> None:
    line, _, answer = block.removeprefix("$ ").partition("\n")
    assert records(*words(line)).stdout == answer


@pytest.mark.parametrize("line", NAMED)
def test_a_command_is_understood_and_answered(
    records: Here, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert records(*words(line)).stdout.strip()


def test_the_script_of_the_page_checks_an_export(records: Here, tmp_path: Path) -> None:
    script, file = tmp_path / "check.py", tmp_path / "history.jsonl"
    script.write_text(next(body for language, body in BLOCKS if language == "python"))
    records("history", "export", str(file))

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, script, file], capture_output=True, text=True, check=False)

    assert check().stdout.startswith("whole; ")
    file.write_text(file.read_text().replace('"actor": "bob"', '"actor": "eve"', 1))
    assert "was changed" in check().stderr
