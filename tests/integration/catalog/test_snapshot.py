"""A workload's folder, in and out of git."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from loopwright.catalog import Snapshot, Store, take_snapshot
from loopwright.errors import NotFoundError, PermanentError


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LOGNAME", "sysuser")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A folder outside of git."""
    return grown(tmp_path / "work", "loopwright.yaml", "score.py", "src/a.py", "data/rows.csv")


@pytest.fixture
def repository(plain: Path) -> Path:
    """The same, all committed."""
    git(plain, "init", "--quiet")
    commit(plain)
    return plain


def grown(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name}\n")
    return folder


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(
        folder,
        "-c",
        "user.name=Ann Author",
        "-c",
        "user.email=ann@example.com",
        "commit",
        "--quiet",
        "-m",
        "all",
    )


def taken(folder: Path, store: Store) -> Snapshot:
    return take_snapshot(folder, store, exclude={"data/rows.csv"})


def test_outside_of_git_all_files_are_taken(plain: Path, store: Store) -> None:
    grown(
        plain, ".venv/x.py", "__pycache__/a.py", "src/old.pyc", "node_modules/m/i.js", ".loopwright/x", ".env"
    )
    grown(
        plain,
        "venv/pyvenv.cfg",
        "venv/lib/x.py",
        ".pytest_cache/CACHEDIR.TAG",
        ".pytest_cache/x",
        "empty/.keep",
    )
    snapshot = taken(plain, store)
    assert list(snapshot.files) == [".env", "empty/.keep", "loopwright.yaml", "score.py", "src/a.py"]
    assert (snapshot.commit, snapshot.dirty, snapshot.diff, snapshot.author) == (None, False, "", "sysuser")
    assert store.listing(snapshot.tree) == snapshot.files
    assert (store.tree(snapshot.tree) / "src/a.py").read_text() == "src/a.py\n"


def test_a_clean_work_tree_is_its_commit(repository: Path, store: Store) -> None:
    snapshot = taken(repository, store)
    assert list(snapshot.files) == ["loopwright.yaml", "score.py", "src/a.py"]
    assert (snapshot.commit, snapshot.dirty, snapshot.diff) == (
        git(repository, "rev-parse", "HEAD"),
        False,
        "",
    )
    assert snapshot.author == "Ann Author <ann@example.com>"


def test_changes_are_in_the_files_and_in_the_diff(repository: Path, store: Store) -> None:
    (repository / "score.py").write_text("changed\n")
    (repository / "src/a.py").unlink()
    grown(repository, "new \u00e9.py", "data/rows.csv", "secret.env", ".gitignore")
    (repository / ".gitignore").write_text("*.env\n")
    snapshot = taken(repository, store)
    assert list(snapshot.files) == [".gitignore", "loopwright.yaml", "new \u00e9.py", "score.py"]
    assert snapshot.dirty
    assert "+changed\n" in snapshot.diff
    assert "deleted file mode 100644\n" in snapshot.diff
    assert snapshot.diff.endswith("Not in any commit:\n  .gitignore\n  new \u00e9.py\n")


def test_a_changed_data_source_makes_nothing_dirty(repository: Path, store: Store) -> None:
    (repository / "data/rows.csv").write_text("changed\n")
    assert not taken(repository, store).dirty


def test_staged_changes_count_as_uncommitted(repository: Path, store: Store) -> None:
    grown(repository, "stag\u00e9.py")
    git(repository, "add", "--all")
    snapshot = taken(repository, store)
    assert ("stag\u00e9.py" in snapshot.files, "+++ b/stag\u00e9.py\n" in snapshot.diff) == (True, True)


def test_a_folder_within_a_repository_is_taken_alone(repository: Path, store: Store) -> None:
    grown(repository, "src/new.py", "other.py")
    snapshot = taken(repository / "src", store)
    assert (list(snapshot.files), "new.py" in snapshot.diff, "other.py" in snapshot.diff) == (
        ["a.py", "new.py"],
        True,
        False,
    )


def test_before_the_first_commit_all_is_uncommitted(plain: Path, store: Store) -> None:
    git(plain, "init", "--quiet")
    snapshot = taken(plain, store)
    assert (len(snapshot.files), snapshot.commit, snapshot.dirty) == (3, None, True)
    assert snapshot.diff == "Not in any commit:\n  loopwright.yaml\n  score.py\n  src/a.py\n"


def test_a_folder_that_git_ignores_is_none_of_its_business(repository: Path, store: Store) -> None:
    (repository / ".gitignore").write_text(".demo/\n")
    grown(repository, ".demo/titanic/score.py")
    snapshot = taken(repository / ".demo/titanic", store)
    assert (list(snapshot.files), snapshot.commit, snapshot.dirty) == (["score.py"], None, False)


def test_a_repository_within_is_taken_with_it(repository: Path, store: Store) -> None:
    grown(repository / "library", "x.py", "ignored.log", ".gitignore")
    (repository / "library/.gitignore").write_text("*.log")
    git(repository / "library", "init", "--quiet")
    assert "library/x.py" in (untracked := taken(repository, store).files)
    assert "library/ignored.log" not in untracked
    commit(repository / "library")
    git(repository, "-c", "advice.addEmbeddedRepo=false", "add", "library")
    commit(repository)
    assert list(taken(repository, store).files)[:2] == ["library/.gitignore", "library/x.py"]
    shutil.rmtree(repository / "library")
    (repository / "library").mkdir()  # as in a clone without its submodules
    assert list(taken(repository, store).files) == ["loopwright.yaml", "score.py", "src/a.py"]


def test_git_settings_of_the_caller_lead_nowhere_else(
    repository: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert taken(repository, store).commit is not None


def test_the_configured_author_comes_first(repository: Path, store: Store) -> None:
    git(repository, "config", "user.name", "Bob")
    assert taken(repository, store).author == "Bob"
    git(repository, "config", "user.email", "bob@example.com")
    assert taken(repository, store).author == "Bob <bob@example.com>"


def test_without_git_all_files_are_taken(
    repository: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    snapshot = taken(repository, store)
    assert (list(snapshot.files), snapshot.commit) == (["loopwright.yaml", "score.py", "src/a.py"], None)


def test_a_repository_that_git_will_not_read_is_told(repository: Path, store: Store) -> None:
    (repository / ".git/config").write_text("[core")
    with pytest.raises(PermanentError, match=f"git cannot read {repository}: fatal: bad config"):
        taken(repository, store)


def test_a_large_file_is_refused(plain: Path, store: Store) -> None:
    with (plain / "weights.bin").open("wb") as file:
        file.truncate(100 * 1024 * 1024 + 1)
    with pytest.raises(PermanentError, match=r"weights.bin has 100\.0 MiB, expected at most 100\.0 MiB"):
        taken(plain, store)
    assert "score.py" in take_snapshot(plain, store, exclude={"./weights.bin"}).files


def test_too_many_files_are_refused(plain: Path, store: Store) -> None:
    with pytest.raises(PermanentError, match="has 4 files, expected at most 3"):
        take_snapshot(plain, store, most_files=3)


def test_names_and_links_that_cannot_be_kept_are_refused(repository: Path, store: Store) -> None:
    (repository / "link").symlink_to("/etc")
    with pytest.raises(PermanentError, match="link is a link"):
        taken(repository, store)
    (repository / "link").unlink()
    (repository / os.fsdecode(b"caf\xe9.py")).write_text("")
    with pytest.raises(PermanentError, match="is not UTF-8"):
        taken(repository, store)


def test_no_folder_is_no_traceback(tmp_path: Path, store: Store) -> None:
    with pytest.raises(NotFoundError, match="none is not a folder"):
        taken(tmp_path / "none", store)


def test_a_long_diff_is_cut(repository: Path, store: Store) -> None:
    (repository / "score.py").write_text("x" * 79 + "\n" * 2_000_000)
    diff = taken(repository, store).diff
    assert (len(diff) < 1_100_000, "cut off: " in diff[-100:]) == (True, True)
