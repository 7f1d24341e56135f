"""What a spec names of the data's columns must be there, before anything runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from driving import EXAMPLE

from loopwright.errors import SpecError
from loopwright.operations.declaration import read_declaration


def folder_with(tmp_path: Path, old: str, new: str) -> Path:
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "titanic"))
    spec = folder / "loopwright.yaml"
    assert old in spec.read_text()
    spec.write_text(spec.read_text().replace(old, new, 1))
    return folder


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("slice: gender", "slice: gendr", "gates.2.slice: found `gendr`, expected a column of data/passengers.csv: gender"),
        ("  auth: key", "  auth: key\n  observations: {exclude: [gendr]}", "exclude.0: found `gendr`, expected a column"),
        ("  auth: key", "  auth: key\n  observations: {exclude: [gendr]}", "Did you mean `gender`?"),
        ("  auth: key", "  auth: key\n  observations: {exclude: [survived]}", "exclude.0: found `survived`"),
        ("dev: {engine: local", "dev: {engine: local, serving: {observations: {exclude: [x]}}", "environments.dev.serving.observations.exclude.0: found `x`"),
    ],
)  # fmt: skip
def test_a_column_that_the_data_does_not_have(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_declaration(folder_with(tmp_path, old, new))
    assert told in caught.value.message


def test_a_column_that_may_not_be_kept(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "  auth: key", "  auth: key\n  observations: {exclude: [gender, age]}")
    assert read_declaration(folder).spec.serving.observations.exclude == ("gender", "age")
