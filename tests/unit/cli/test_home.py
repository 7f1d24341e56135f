"""Commands in hints mean the state folder that the command was about."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright.cli import clean, main
from loopwright.cli.home import with_home


def test_each_command_of_a_hint_names_the_folder_once() -> None:
    text = "Run `loopwright up`, then `loopwright status --home /a` or `loopwright init`; `loopwright logs toy train`."
    assert with_home(text, " --home /a") == (
        "Run `loopwright up --home /a`, then `loopwright status --home /a` or `loopwright init`; "
        "`loopwright logs toy train --home /a`."
    )
    assert with_home(text, "") == text


def test_an_error_says_how_to_go_on_in_the_folder_that_was_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main._run(["releases", "--home", str(tmp_path)]) == 1
    assert f"loopwright up DIR --home {tmp_path}`" in capsys.readouterr().err


def test_a_folder_without_a_spec_is_told_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main._run(["validate", str(tmp_path)]) == 1
    assert "found no such file, expected the spec of a workload" in (told := capsys.readouterr().err)
    assert "`loopwright init`" in told


def test_a_cleaning_of_everything_says_what_it_leaves() -> None:
    nothing = {"removed": {}, "older_than": "0s"}
    assert clean._told(nothing).endswith("is still needed, or was put there just now.")
    assert clean._told(nothing | {"older_than": "30d"}).endswith("older than 30d is still needed.")
