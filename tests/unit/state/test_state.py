"""Paths stay usable, and files are replaced whole."""

from pathlib import Path

import pytest

from loopwright.errors import MachineError
from loopwright.state import StateFolder, replace_file


def test_sockets_fit_however_long_the_folder_is(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / ("x" * 90))
    assert len(str(state.control_socket)) <= 107
    assert StateFolder(Path("/s")).sockets == Path("/s/run")


def test_the_folder_is_private(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "home")
    state.create()
    assert state.root.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="LOOPWRIGHT_HOME"):
        StateFolder(tmp_path / "file" / "home").create()


def test_a_failed_replacement_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    replace_file(file, b"old")
    with pytest.raises(TypeError):
        replace_file(file, "not bytes")  # type: ignore[arg-type]
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
