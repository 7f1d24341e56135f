"""All files or none, and never over somebody's work."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tables import houses, write

from loopwright.errors import ConflictError, MachineError, NotFoundError, StepFailed, UsageError
from loopwright.operations.starting import Beginning, init


def begin(folder: Path, data: Path, label: str = "price", **more: Any) -> dict[str, Any]:
    return init(Beginning(folder, data, label, owner="ada@example.com", **more))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "My Houses.csv", houses(60))


def test_a_table_elsewhere_is_copied_in_under_a_name_of_the_spec(tmp_path: Path, table: Path) -> None:
    told = begin(tmp_path / "w", table)
    assert (tmp_path / "w" / "data" / "my-houses.csv").read_bytes() == table.read_bytes()
    assert (told["workload"], "data/my-houses.csv" in told["files"]) == ("w", True)
    assert "# What data/my-houses.csv must" in (tmp_path / "w" / "schemas" / "my-houses.yaml").read_text()


def test_a_table_inside_is_used_in_place(table: Path) -> None:
    told = begin(table.parent, table, name="homes")
    assert not (table.parent / "data").exists()
    assert told["workload"] == "homes"
    assert "source: My Houses.csv" in (table.parent / "loopwright.yaml").read_text()


def test_the_same_again_changes_nothing_and_is_no_conflict(tmp_path: Path, table: Path) -> None:
    begin(tmp_path / "w", table)
    before = contents(tmp_path / "w")
    begin(tmp_path / "w", table)
    assert contents(tmp_path / "w") == before


def test_files_that_were_edited_stand_in_the_way_until_force(tmp_path: Path, table: Path) -> None:
    folder = tmp_path / "w"
    begin(folder, table)
    (folder / "training.py").write_text("mine")
    (folder / "README.md").write_text("mine too")
    (folder / "loopwright.yaml").unlink()
    before = contents(folder)
    with pytest.raises(ConflictError, match=r"^training\.py stands in .* Nothing was written"):
        begin(folder, table)
    assert contents(folder) == before
    told = begin(folder, table, force=True)
    assert (folder / "training.py").read_text() != "mine"
    assert ((folder / "README.md").read_text(), "README.md" in told["kept"]) == ("mine too", True)


def test_what_cannot_be_written_whole_is_taken_back(tmp_path: Path, table: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "tests").write_text("a file where a folder is needed")
    with pytest.raises(MachineError, match="Nothing was written"):
        begin(folder, table)
    assert contents(folder) == {"tests": b"a file where a folder is needed"}
    assert sorted(path.name for path in folder.iterdir()) == ["tests"]


def test_a_folder_in_a_files_place_and_a_file_in_the_folders(tmp_path: Path, table: Path) -> None:
    (tmp_path / "w" / "training.py").mkdir(parents=True)
    with pytest.raises(ConflictError, match="is a folder"):
        begin(tmp_path / "w", table, force=True)
    with pytest.raises(ConflictError, match="is a file"):
        begin(table, table)


@pytest.mark.parametrize(
    ("name", "error"), [("gone.csv", NotFoundError), ("table.xlsx", UsageError), ("broken.csv", StepFailed)]
)
def test_a_table_that_cannot_be_read_leaves_no_folder(
    tmp_path: Path, name: str, error: type[Exception]
) -> None:
    (tmp_path / "broken.csv").write_text("a,b\n1,2,3\n")
    with pytest.raises(error):
        begin(tmp_path / "w", tmp_path / name)
    assert not (tmp_path / "w").exists()


def test_a_name_that_a_spec_does_not_take_is_refused_with_one_that_it_does(
    tmp_path: Path, table: Path
) -> None:
    with pytest.raises(UsageError, match="Did you mean my-houses"):
        begin(tmp_path / "w", table, name="My Houses")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "loopwright.cli.main", "init", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_without_a_terminal_what_lacks_is_said(tmp_path: Path, table: Path) -> None:
    folder = str(tmp_path / "w")
    assert "--data is missing" in run(folder).stderr
    done = run(folder, "--data", str(table))
    assert (done.returncode, "one of size, district, garden, price" in done.stderr) == (2, True)
    assert not Path(folder).exists()


def test_at_a_terminal_it_asks(tmp_path: Path, table: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "loopwright.cli.main", "init", str(tmp_path / "w")]
    os.write(ours, f"{table}\n2\n".encode())
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        assert process.wait(120) == 0
    said = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert "Which column is to be predicted? [price]" in said
    assert "label: district" in (tmp_path / "w" / "loopwright.yaml").read_text()
