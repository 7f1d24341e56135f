"""When the control plane cleans by itself, as settings.json says."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright.errors import MachineError
from loopwright.loop.retention import Policy
from loopwright.operations.housekeeping import Settings, settings


def given(folder: Path, text: str) -> Settings:
    (folder / "settings.json").write_text(text)
    return settings(folder / "settings.json")


def test_where_nothing_is_said_it_cleans_once_a_day(tmp_path: Path) -> None:
    assert settings(tmp_path / "none.json") == given(tmp_path, "{}") == Settings(86400.0, Policy())


def test_what_is_said_holds(tmp_path: Path) -> None:
    found = given(tmp_path, '{"clean": {"every": "12h", "older_than": "14d"}}')
    assert (found.every, found.policy.older_than) == (43200.0, 14 * 86400.0)
    assert given(tmp_path, '{"clean": {"every": "never"}}').every is None
    assert given(tmp_path, '{"clean": {"older_than": "0s"}}').policy.older_than == 0.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"clean": {"every": "soon"}}', r'settings.json: clean.every: found "soon", expected a duration'),
        ('{"clean": {"every": "0s"}}', r'clean.every: found "0s", expected a duration'),
        ('{"clean": {"older_than": "never"}}', r'clean.older_than: found "never", expected a duration'),
        ('{"clean": {"evry": "1d"}}', r'clean: found {"evry": "1d"}, expected such as'),
        ('{"clean": 7}', r"clean: found 7, expected such as"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MachineError, match=told):
        given(tmp_path, text)
