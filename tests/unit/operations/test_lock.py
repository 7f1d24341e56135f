"""What `loopwright lock` needs of a folder, and what it refuses without resolving anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright.errors import NotFoundError, SpecError
from loopwright.operations.dependencies import lock

SPEC = """\
apiVersion: loopwright/v1
workload: toy
owner: ada@example.com
data: {rows: {source: rows.csv, label: y}}
training: {command: "python t.py {data.rows.train} {outputs}", dependencies: {requirements: r.txt}}
serving: {entry: score.py}
environments: {prod: {}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "loopwright.yaml").write_text(SPEC)
    (tmp_path / "r.txt").write_text("# nothing\n")
    return tmp_path


def test_the_data_need_not_be_there(folder: Path) -> None:
    written = lock(folder, None)
    assert (written["changed"], written["packages"]) == (True, 0)
    assert lock(folder, None)["changed"] is False
    assert (folder / "loopwright.lock").stat().st_mode & 0o777 == 0o644


def test_a_package_that_is_not_locked_cannot_be_newer(folder: Path) -> None:
    with pytest.raises(
        NotFoundError, match=r"has no package numpy\. Name one that it has, or ask for numpy in r\.txt"
    ):
        lock(folder, ["numpy"])


def test_a_dependency_file_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "r.txt").unlink()
    with pytest.raises(SpecError, match=r"r\.txt:1:1: found the file `r\.txt`, which is not there"):
        lock(folder, None)
