"""A schema file is looked at before anything runs: what it says, and whether it fits the data's first line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from driving import EXAMPLE

from loopwright.errors import SpecError
from loopwright.operations.declaration import read_declaration


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "titanic"))


def refused(folder: Path, old: str, new: str) -> str:
    file = folder / "schemas" / "passengers.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(SpecError) as caught:
        read_declaration(folder)
    return str(caught.value)


def test_the_example_is_right(folder: Path) -> None:
    read_declaration(folder)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("type: string", "type: strin", "columns.gender.type: found the text `strin`"),
        ("  age:", "  agee:", "columns.agee: found `agee`, expected a column of passengers.csv"),
        ("  age:", "  agee:", "found no column `age`, which passengers.csv has"),
        ("  survived:", "  lived:", "found no column `survived`, expected one, since it is the label"),
        ("columns:\n", "colums:\n", "Did you mean `columns`?"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(folder: Path, old: str, new: str, told: str) -> None:
    said = refused(folder, old, new)
    assert told in said
    assert "schemas/passengers.yaml:" in said


def test_columns_may_be_ignored(folder: Path) -> None:
    file = folder / "schemas" / "passengers.yaml"
    text = file.read_text().replace("unexpected_columns: refuse", "unexpected_columns: ignore")
    start, end = text.index("  age:"), text.index("  class:")
    file.write_text(text[:start] + text[end:])
    read_declaration(folder)
