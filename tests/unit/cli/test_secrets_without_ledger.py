"""Secrets where nothing runs: nothing is started for them, and what only reads or removes makes nothing."""

import os
import pwd
from contextlib import closing
from pathlib import Path

import pytest

from loopwright.cli.main import _run, main
from loopwright.ledger import Lock, open_ledger
from loopwright.operations.secrets import without_control_plane
from loopwright.secrets.providers import Secrets
from loopwright.state import StateFolder


@pytest.mark.parametrize("words", [("list",), ("remove", "TOKEN")])
def test_a_folder_without_a_ledger_is_told_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    home = tmp_path / "home"
    with pytest.raises(SystemExit, match=r"^1$"):
        main(["secrets", *words, "--home", str(home)])
    assert f"{home} holds no ledger" in capsys.readouterr().err
    assert not home.exists()


def test_secrets_are_set_listed_and_removed_without_a_control_plane(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, value = StateFolder(tmp_path / "home"), tmp_path / "value"
    value.write_text("hunter22\n")

    def said(*words: str) -> str:
        assert _run(["secrets", *words, "--home", str(state.root)]) == 0
        return capsys.readouterr().out

    assert "The secret TOKEN is set." in said("set", "TOKEN", "--file", str(value))
    assert said("list").splitlines()[1].split()[:2] == ["TOKEN", "set"]
    assert Secrets(state).value("TOKEN") == "hunter22"
    assert "The secret TOKEN is removed." in said("remove", "TOKEN")
    assert not state.control_log.exists()  # no process was started
    with closing(open_ledger(state)) as ledger:
        assert [(fact.kind, fact.key) for fact in ledger.facts()] == [
            ("secret.set", "TOKEN"),
            ("secret.removed", "TOKEN"),
        ]
        assert {fact.actor for fact in ledger.facts()} == {pwd.getpwuid(os.getuid()).pw_name}
        assert ledger.verify().ok


def test_where_a_control_plane_lives_or_is_coming_up_it_is_asked(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "home")
    state.create()
    with Lock(state.control_lock), without_control_plane(state) as keeper:
        assert keeper is None
    with without_control_plane(state) as keeper:
        assert keeper is not None


def test_a_name_that_is_missing_is_asked_for_by_its_own_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["secrets", "set"])
    assert "required: NAME. " in capsys.readouterr().err
