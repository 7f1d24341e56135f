"""A store that is only looked at names everything as the real one does, and makes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loopwright.catalog import LookingStore, Store, take_snapshot
from loopwright.errors import NotFoundError, PermanentError


def filled(folder: Path) -> Path:
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "a.txt").write_text("a")
    (folder / "run.sh").write_text("echo")
    (folder / "run.sh").chmod(0o755)
    return folder


def test_names_are_those_of_the_store(tmp_path: Path) -> None:
    folder = filled(tmp_path / "work")
    kept = take_snapshot(folder, Store(tmp_path / "store"))
    assert take_snapshot(folder, LookingStore(tmp_path / "nowhere")) == kept
    assert LookingStore(tmp_path / "store").has_tree(kept.tree)
    assert not LookingStore(tmp_path / "nowhere").has_tree(kept.tree)


def test_nothing_is_made(tmp_path: Path) -> None:
    folder, store = filled(tmp_path / "work"), LookingStore(tmp_path / "nowhere")
    tree = store.put_tree(folder)
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(NotFoundError):
        store.tree(tree)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PermanentError, match="plain file"):
        LookingStore(tmp_path / "store").put_file(tmp_path / "pipe")
