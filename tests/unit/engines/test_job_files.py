from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loopwright.engines.local import job_files


def test_the_second_to_make_a_file_is_told_so(tmp_path: Path) -> None:
    assert job_files.create_once(str(tmp_path), job_files.START, {"who": 1})
    assert not job_files.create_once(str(tmp_path), job_files.START, {"who": 2})
    assert job_files.read(str(tmp_path), job_files.START) == {"who": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["start.json"]


def test_what_has_not_been_made_is_none(tmp_path: Path) -> None:
    assert job_files.read(str(tmp_path), job_files.EXIT) is None


def test_a_removed_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        job_files.create_once(str(tmp_path / "gone"), job_files.EXIT, {})


def test_of_many_that_claim_one_wins(tmp_path: Path) -> None:
    script = "import sys; from loopwright.engines.local.job_files import create_once; print(create_once(sys.argv[1], 'start.json', {}))"
    import subprocess
    import sys

    def claim(_: int) -> bytes:
        return subprocess.check_output([sys.executable, "-c", script, str(tmp_path)])

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, range(4))) == [b"False\n"] * 3 + [b"True\n"]
