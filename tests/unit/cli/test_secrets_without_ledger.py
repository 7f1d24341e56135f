"""What only reads or removes secrets makes nothing where nothing is."""

from pathlib import Path

import pytest

from loopwright.cli.main import main


@pytest.mark.parametrize("words", [("list",), ("remove", "TOKEN")])
def test_a_folder_without_a_ledger_is_told_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    home = tmp_path / "home"
    with pytest.raises(SystemExit, match=r"^1$"):
        main(["secrets", *words, "--home", str(home)])
    assert f"{home} holds no ledger" in capsys.readouterr().err
    assert not home.exists()


def test_a_name_that_is_missing_is_asked_for_by_its_own_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["secrets", "set"])
    assert "required: NAME. " in capsys.readouterr().err
