"""A workload's folder as it was when a change was asked for: its files in the store, its commit, and what is not in that."""

from __future__ import annotations

import getpass
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loopwright.catalog.git import Git, author
from loopwright.catalog.store import Store, walk
from loopwright.errors import NotFoundError, PermanentError

MOST_BYTES = 100 * 1024 * 1024  # of one file
MOST_FILES = 20_000
_MOST_DIFF = 1024 * 1024  # characters kept
_NEVER = frozenset({".git", ".venv", "__pycache__", ".loopwright", "node_modules"})
_MARKERS = ("pyvenv.cfg", "CACHEDIR.TAG")  # a virtual environment; a cache, by the convention of many tools


@dataclass(frozen=True)
class Snapshot:
    """A folder's files, and where they come from."""

    tree: str  # digest of the files as a tree of the store
    files: Mapping[str, str]  # path -> content name
    commit: str | None  # None outside of git, and before the first commit
    dirty: bool  # whether files differ from the commit
    diff: str  # the uncommitted changes, and the names of untracked files
    author_name: str
    author_mail: str

    @property
    def author(self) -> str:
        """`Name <mail>`, or the part that is known."""
        mail = f"<{self.author_mail}>" if self.author_mail else ""
        return f"{self.author_name} {mail}".strip()


def take_snapshot(
    folder: Path,
    store: Store,
    exclude: Collection[str] = (),
    most_bytes: int = MOST_BYTES,
    most_files: int = MOST_FILES,
) -> Snapshot:
    """Put a folder's files into the store: those that git does not ignore, or, outside of git, all.

    `exclude` names paths that are no part of it, such as data sources. Raises PermanentError for a file larger than
    `most_bytes`, more than `most_files` files, and a link that leads out of the folder.
    """
    if not folder.is_dir():
        raise NotFoundError(f"{folder} is not a folder.")
    git = Git.find(folder)
    paths = list(_kept(git.files() if git else _all_files(folder), exclude))
    _check(folder, paths, most_bytes, most_files)
    files = store.put_files(folder, paths)
    commit = git.commit() if git else None
    diff = _diff(git, commit, exclude) if git else ""
    name, mail = author(folder)
    return Snapshot(store.put_listing(files), files, commit, bool(diff), diff, name or _system_user(), mail)


def _kept(paths: Iterable[str], exclude: Collection[str]) -> Iterable[str]:
    apart = {Path(path).as_posix() for path in exclude}
    for path in paths:
        if path not in apart and not path.endswith(".pyc") and _NEVER.isdisjoint(path.split("/")):
            yield path


def _all_files(folder: Path) -> Iterable[str]:
    def enter(inside: Path) -> bool:
        return inside.name not in _NEVER and not any(
            (folder / inside / marker).is_file() for marker in _MARKERS
        )

    return walk(folder, enter)


def _check(folder: Path, paths: list[str], most_bytes: int, most_files: int) -> None:
    if len(paths) > most_files:
        raise PermanentError(
            f"{folder} has {len(paths)} files, expected at most {most_files}. Leave out what the workload does not need, with .gitignore."
        )
    for path in paths:
        size = (
            (folder / path).stat().st_size if (folder / path).exists() else 0
        )  # a dangling link is refused later
        if size > most_bytes:
            raise PermanentError(
                f"{folder / path} has {size / 1024**2:.1f} MiB, expected at most {most_bytes / 1024**2:.1f} MiB in a workload's folder. "
                "Declare it as a data source, or leave it out with .gitignore."
            )


def _diff(git: Git, commit: str | None, exclude: Collection[str]) -> str:
    changes = git.diff(exclude) if commit else ""
    if len(changes) > _MOST_DIFF:
        changes = f"{changes[:_MOST_DIFF]}\n... cut off: {len(changes)} characters in all\n"
    names = list(_kept(git.untracked() if commit else git.files(), exclude))
    untracked = "".join(f"  {name}\n" for name in names)
    return changes + (f"Not in any commit:\n{untracked}" if names else "")


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        return f"uid {os.getuid()}"
