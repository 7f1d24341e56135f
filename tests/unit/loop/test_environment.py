"""Which earlier environment can still be used, wherever the state folder was when it was recorded."""

from __future__ import annotations

from pathlib import Path

from loopwright.catalog import Store
from loopwright.loop.case import Kept
from loopwright.loop.steps.environment import EnvironmentStep
from loopwright.state import StateFolder
from loopwright.training import environment_folder

DIGEST = "ab" * 32


def built(home: Path) -> Path:
    folder = environment_folder(StateFolder(home).environments, DIGEST)
    folder.mkdir(parents=True)
    (folder / "complete").touch()
    return folder / "bin" / "python"


def test_an_environment_counts_where_the_state_folder_is_now(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    recorded = {"digest": DIGEST, "python": str(built(old))}  # as facts of before have it
    kept = Kept(StateFolder(new), Store(new / "store"))
    assert not EnvironmentStep().available(recorded, kept)
    built(new)
    assert EnvironmentStep().available(recorded, kept)
    assert EnvironmentStep().available({"digest": DIGEST}, kept)
