"""A store that is cleaned: what is asked for again is new again, and what goes, goes whole."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from loopwright.catalog import Store
from loopwright.errors import NotFoundError


def old(store: Store) -> None:
    """Let everything in the store be a day old."""
    for kept in store.kept():
        os.utime(store.place(kept.kind, kept.name), (time.time() - 86400,) * 2)


def take(store: Store, to: Path) -> list[str]:
    """Take away all that is older than an hour."""
    return [
        kept.kind
        for number, kept in enumerate(list(store.kept()))
        if store.take_away(kept.kind, kept.name, time.time() - 3600, to / str(number))
    ]


def test_a_tree_consists_of_its_contents_and_a_file_of_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    content = store.put_bytes(b"x")
    tree = store.put_listing({"a": content, "run": f"{content}+x"})
    assert store.parts(tree) == {content}
    assert store.parts(content) == store.parts("0" * 64) == frozenset()
    assert store.parts(store.put_bytes(b'{"files": {"just": "looks like one"')) == frozenset()


def test_what_is_old_is_taken_away_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    tree = store.put_listing({"a/b": store.put_bytes(b"x")})
    store.tree(tree)
    old(store)
    assert sorted(take(store, tmp_path)) == ["files", "files", "trees"]
    with pytest.raises(NotFoundError):
        store.file(tree)


@pytest.mark.parametrize("again", ["bytes", "file", "tree"])
def test_what_is_put_or_asked_for_again_stays(tmp_path: Path, again: str) -> None:
    store = Store(tmp_path / "store")
    file = tmp_path / "file"
    file.write_bytes(b"x")
    tree = store.put_listing({"a": store.put_bytes(b"x")})
    store.tree(tree)
    old(store)
    {
        "bytes": lambda: store.put_bytes(b"x"),
        "file": lambda: store.put_file(file),
        "tree": lambda: store.tree(tree),
    }[again]()
    assert len(take(store, tmp_path)) == 2
