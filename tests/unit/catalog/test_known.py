"""Digests of files that have not changed."""

import os
import time
from pathlib import Path

import pytest

from loopwright.catalog import Store
from loopwright.catalog.known import KnownDigests

SECOND = 1_000_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("content")
    return tmp_path / "file"


def known(file: Path, age: float) -> KnownDigests:
    """Remembers `file` as read `age` seconds after its last change, and is read back from the disk."""
    digests = KnownDigests(file.with_name("known.json"))
    digests.put(file, file.stat(), "digest", file.stat().st_ctime_ns + int(age * SECOND))
    digests.save()
    return KnownDigests(file.with_name("known.json"))


def test_an_old_file_is_known_again(file: Path) -> None:
    assert known(file, age=3.0).get(file, file.stat()) == "digest"


@pytest.mark.parametrize("age", [0.0, 1.9, -5.0])
def test_a_file_changed_a_moment_ago_might_change_unseen(file: Path, age: float) -> None:
    assert known(file, age).get(file, file.stat()) is None


def test_another_time_size_or_inode_is_another_file(file: Path) -> None:
    digests = known(file, age=3.0)
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
    assert digests.get(file, file.stat()) is None
    file.write_text("conten!")
    os.utime(file, ns=(0, 0))
    assert digests.get(file, file.stat()) is None


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b"\xff", b'{"a": [1, 2]}'])
def test_a_damaged_memory_is_an_empty_one(file: Path, content: bytes) -> None:
    file.with_name("known.json").write_bytes(content)
    assert known(file, age=3.0).get(file, file.stat()) == "digest"


def test_the_memory_is_bounded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loopwright.catalog.known._MOST", 2)
    digests, read_at = KnownDigests(file.with_name("known.json")), file.stat().st_ctime_ns + 3 * SECOND
    for number in range(3):
        digests.put(Path(f"/{number}"), file.stat(), str(number), read_at)
    digests.get(Path("/0"), file.stat())  # seen last
    digests.save()
    again = KnownDigests(file.with_name("known.json"))
    assert [again.get(Path(f"/{number}"), file.stat()) for number in range(3)] == ["0", None, "2"]


def test_the_store_does_not_read_a_known_file_again(tmp_path: Path, file: Path) -> None:
    store = Store(tmp_path / "store")
    store._contents._known.put(
        file, file.stat(), digest := store.put_bytes(b"other"), time.time_ns() + 9 * SECOND
    )
    assert store.put_file(file) == digest
    store.file(digest).unlink()
    assert store.file(store.put_file(file)).read_text() == "content"
