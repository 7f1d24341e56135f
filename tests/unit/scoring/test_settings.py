"""serving.json is read whole or refused with one sentence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loopwright.errors import LoopwrightError
from loopwright.scoring.settings import Input, Settings, load


def _write(folder: Path, **changes: Any) -> Path:
    (folder / "code").mkdir(exist_ok=True)
    (folder / "code" / "score.py").touch()
    settings = {
        "workload": "w", "environment": "e", "revision": "r", "package": str(folder), "entry": "score.py",
        "python": sys.executable, "inputs": [{"name": "age", "type": "integer"}],
    }  # fmt: skip
    file = folder / "serving.json"
    file.write_bytes(msgspec.json.encode(settings | changes))
    return file


def test_what_is_not_given_has_its_default(tmp_path: Path) -> None:
    settings = load(_write(tmp_path, limits={"queue": 3}))
    assert (settings.limits.queue, settings.limits.concurrency, settings.workers) == (3, 8, 1)
    assert settings.inputs == (Input(name="age", type="integer"),)
    assert settings.model_folder == tmp_path / "model"


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    settings = load(_write(tmp_path, limits={"timeout": 1.5}, inputs=None, version="titanic:3"))
    (tmp_path / "serving.json").write_bytes(msgspec.json.encode(settings))
    assert load(tmp_path / "serving.json") == settings
    assert isinstance(settings, Settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entry": "gone.py"}, "the scoring script .*gone.py is not there"),
        ({"entry": "../x.py"}, "`entry` is '../x.py', expected a file inside"),
        ({"python": "/nowhere/python"}, "the interpreter /nowhere/python is missing"),
        ({"package": "here"}, "`package` is 'here', expected an absolute path"),
        ({"workers": 0}, r"Expected `int` >= 1 - at `\$.workers`"),
        ({"limits": {"timeout": "5s"}}, r"got `str` - at `\$.limits.timeout`"),
        ({"limits": {"que": 1}}, "unknown field `que`"),
        ({"inputs": [{"name": "a", "type": "integer"}] * 2}, "names a column twice"),
        ({"entry": ""}, "expected one of `entry` and `model`"),
        ({"model": {"path": "m", "flavor": "sklearn"}}, "expected one of `entry` and `model`"),
        ({"entry": "", "model": {"path": "m", "flavor": "sklearn"}}, "needs `inputs` and `outputs`"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(LoopwrightError, match=message):
        load(_write(tmp_path, **changes))


def test_a_missing_or_broken_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(LoopwrightError, match="cannot be read: No such file"):
        load(tmp_path / "gone.json")
    (tmp_path / "half.json").write_text('{"workload": ')
    with pytest.raises(LoopwrightError, match=r"half\.json is not what a replica takes"):
        load(tmp_path / "half.json")
