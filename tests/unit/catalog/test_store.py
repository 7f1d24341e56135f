"""Files and folders by their content."""

import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loopwright.catalog import Store
from loopwright.catalog.copying import digest_of
from loopwright.errors import (
    IntegrityError,
    LoopwrightError,
    MachineError,
    NotFoundError,
    PermanentError,
    TemporaryError,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return grown(
        tmp_path / "folder", {"a.txt": "a", "src/b.py": "b", "src/deep/c": "", "run.sh": "#!/bin/sh"}
    )


def grown(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_named_by_its_content(store: Store, folder: Path) -> None:
    digest = store.put_file(folder / "a.txt")
    assert digest == hashlib.sha256(b"a").hexdigest() == store.put_bytes(b"a")
    assert (store.file(digest).read_bytes(), mode(store.file(digest))) == (b"a", 0o444)


def test_a_later_change_of_the_file_does_not_reach_the_store(store: Store, folder: Path) -> None:
    digest = store.put_file(folder / "a.txt")
    with (folder / "a.txt").open("a") as file:
        file.write("more")
    assert (store.file(digest).read_bytes(), store.put_file(folder / "a.txt") != digest) == (b"a", True)


def test_a_tree_is_given_back_read_only(store: Store, folder: Path) -> None:
    (folder / "run.sh").chmod(0o755)
    (folder / "empty").mkdir()
    tree = store.tree(store.put_tree(folder))
    assert contents(tree) == contents(folder)
    assert [mode(tree / name) for name in ("a.txt", "run.sh", "src", ".")] == [0o444, 0o555, 0o555, 0o555]


def test_a_trees_digest_says_what_is_in_it(store: Store, folder: Path, tmp_path: Path) -> None:
    digest = store.put_tree(folder)
    assert digest == store.put_tree(
        grown(tmp_path / "again", {k: v.decode() for k, v in contents(folder).items()})
    )
    (folder / "run.sh").chmod(0o755)
    executable = store.put_tree(folder)
    (folder / "a.txt").rename(folder / "A.txt")
    assert len({digest, executable, store.put_tree(folder), store.put_tree(folder, ["run.sh"])}) == 4


def test_equal_contents_are_kept_once(store: Store, tmp_path: Path) -> None:
    store.put_tree(grown(tmp_path / "twins", {"a": "same", "b": "same"}))
    assert len([path for path in (store.root / "files").rglob("*") if path.is_file()]) == 2  # and the listing


def test_a_tree_can_be_made_of_contents(store: Store, folder: Path) -> None:
    files = store.put_files(folder, ["src/b.py", "a.txt"])
    assert list(files) == ["a.txt", "src/b.py"]
    assert store.put_listing(files) == store.put_tree(folder, files)
    with pytest.raises(NotFoundError, match="no content"):
        store.put_listing({"a": "0" * 64})


def test_a_checkout_is_private_and_writable(store: Store, folder: Path, tmp_path: Path) -> None:
    (folder / "run.sh").chmod(0o755)
    files = store.put_files(folder, ["a.txt", "src/b.py", "run.sh"])
    for _ in range(2):  # an earlier attempt is replaced
        store.checkout(files, tmp_path / "work")
        (tmp_path / "work" / "a.txt").write_text("changed")
        (tmp_path / "work" / "new").write_text("new")
    store.checkout(files, tmp_path / "work")
    assert contents(tmp_path / "work") == {"a.txt": b"a", "src/b.py": b"b", "run.sh": b"#!/bin/sh"}
    assert (mode(tmp_path / "work/run.sh"), mode(tmp_path / "work/a.txt")) == (0o755, 0o644)


def test_threads_that_ask_for_a_tree_at_once_all_get_it(store: Store, folder: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        digests = set(threads.map(lambda _: store.put_tree(folder), range(8)))
        trees = set(threads.map(store.tree, [*digests] * 8))
    assert (len(digests), len(trees), list((store.root / "tmp").iterdir())) == (1, 1, [])


def test_what_is_not_there_is_not_found(store: Store, folder: Path) -> None:
    digest = store.put_tree(folder)
    attempts: list[Callable[[], object]] = [
        lambda: store.file("0" * 64),
        lambda: store.file("../folder/a.txt"),
        lambda: store.tree("0" * 64),
        lambda: store.tree(store.put_bytes(b"{}")),
        lambda: store.tree(store.put_file(folder / "a.txt")),
        lambda: store.put_file(folder / "none"),
        lambda: store.put_tree(folder / "none"),
        lambda: store.put_tree(folder, ["none"]),
    ]
    for attempt in attempts:
        with pytest.raises(NotFoundError):
            attempt()
    assert (store.has_tree(digest), store.has_tree("0" * 64)) == (True, False)
    store.file(hashlib.sha256(b"b").hexdigest()).unlink()
    assert not store.has_tree(digest)


def test_links_within_the_folder_become_files(store: Store, folder: Path) -> None:
    (folder / "link").symlink_to("src/b.py")
    assert contents(store.tree(store.put_tree(folder)))["link"] == b"b"


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("../outside", "outside of"),
        ("/etc/passwd", "outside of"),
        ("nowhere", "does not exist"),
        ("src", "a folder"),
    ],
)
def test_other_links_are_refused(store: Store, folder: Path, target: str, complaint: str) -> None:
    grown(folder.parent, {"outside": "secret"})
    (folder / "link").symlink_to(target)
    with pytest.raises(PermanentError, match=f"link is a link.*{complaint}"):
        store.put_tree(folder)


def test_a_file_behind_a_link_to_another_folder_is_refused(store: Store, folder: Path) -> None:
    grown(folder.parent / "other", {"secret": "s"})
    (folder / "link").symlink_to("../other")
    with pytest.raises(PermanentError, match="outside of"):
        store.put_tree(folder, ["link/secret"])


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "", "a//b", "./a.txt", "src/../a.txt", "a\0b", "\udcff"]
)
def test_paths_that_are_not_plain_are_refused(store: Store, folder: Path, path: str) -> None:
    with pytest.raises(PermanentError, match=r"not a plain path|not UTF-8"):
        store.put_tree(folder, [path])


def test_what_is_no_file_is_refused(store: Store, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(PermanentError, match="pipe is not a plain file"):
        store.put_tree(folder)
    with pytest.raises(PermanentError, match="src is not a plain file"):
        store.put_file(folder / "src")


def test_a_changed_content_is_not_handed_out(store: Store, folder: Path, tmp_path: Path) -> None:
    files = store.put_files(folder, ["a.txt"])
    tree = store.put_listing(files)
    for name, change in ((files["a.txt"], "b"), (tree, '{"files": {}}')):
        store.file(name).chmod(0o644)
        store.file(name).write_text(change)
    with pytest.raises(IntegrityError, match=f"content {files['a.txt']} in the store .* was changed"):
        store.checkout(files, tmp_path / "work")
    with pytest.raises(IntegrityError, match=f"listing {tree} in the store .* was changed"):
        store.tree(tree)


def test_a_file_that_keeps_changing_is_not_taken(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed_meanwhile(path: Path) -> str:
        with path.open("a") as file:
            file.write("more")
        return digest_of(path)

    monkeypatch.setattr("loopwright.catalog.contents.digest_of", changed_meanwhile)
    with pytest.raises(TemporaryError, match=r"a\.txt keeps changing"):
        store.put_file(folder / "a.txt")


def test_what_was_left_behind_long_ago_is_swept(store: Store) -> None:
    left, fresh = store.root / "tmp" / "left", store.root / "tmp" / "fresh"
    grown(left / "inside", {"a": "a"})
    (left / "inside").chmod(0o555)
    fresh.write_text("")
    os.utime(left, (time.time() - 90_000,) * 2)
    Store(store.root)
    assert (left.exists(), fresh.exists()) == (False, True)


def test_a_store_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="cannot be read or stored"):
        Store(tmp_path / "file")


def test_where_modes_bind_us_trees_share_their_files_with_the_store() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        assert as_nobody(lambda: share(Path(name))) == 0


def share(folder: Path) -> None:
    store = Store(folder / "store")
    digest = store.put_tree(grown(folder / "files", {"a": "a", "deep/b": "b"}))
    tree = store.tree(digest)
    assert (tree / "deep/b").stat().st_ino == store.file(hashlib.sha256(b"b").hexdigest()).stat().st_ino
    for path in (tree / "a", tree / "deep" / "new"):
        with pytest.raises(PermissionError):
            path.write_text("x")
    (folder / "unreadable").write_text("x")
    (folder / "unreadable").chmod(0)
    with pytest.raises(MachineError, match="unreadable cannot be read or stored: Permission denied"):
        store.put_file(folder / "unreadable")


def as_nobody(work: Callable[[], None]) -> int:
    """Run it in a child process that is not root; returns its exit status."""
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            work()
            os._exit(0)
        except (AssertionError, OSError, LoopwrightError) as error:
            os.write(2, f"{error!r}\n".encode())
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
