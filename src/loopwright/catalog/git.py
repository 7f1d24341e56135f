"""What git knows about a folder: which files belong to it, its commit, and what is not committed.

Only reads. Nothing of the caller's git environment leads elsewhere (a hook that starts us sets GIT_DIR).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from loopwright.errors import PermanentError, TemporaryError

_TIMEOUT = 60.0  # seconds for one git command
_ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
)


class Git:
    """A folder inside a git work tree; make one with `find`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def find(cls, folder: Path) -> Git | None:
        """None where git is not installed, the folder is in no work tree, or git is told to ignore it."""
        inside = _run(folder, "rev-parse", "--is-inside-work-tree")
        if inside is None or "not a git repository" in inside.stderr.decode(errors="replace"):
            return None
        if inside.returncode != 0:
            raise PermanentError(f"git cannot read {folder}: {_complaint(inside)}.")
        if inside.stdout.strip() != b"true":
            return None
        ignored = _run(folder, "check-ignore", "--quiet", ".")
        return None if ignored is not None and ignored.returncode == 0 else cls(folder)

    def files(self) -> Iterator[str]:
        """Paths of tracked and untracked files that exist and are not ignored; those of submodules too."""
        names = self._read("ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
        for name in sorted({os.fsdecode(name) for name in names if name}):
            path = self._folder / name
            if path.is_dir() and not path.is_symlink():  # a submodule, or a repository inside this one
                if (path / ".git").exists():
                    yield from (f"{name.rstrip('/')}/{inner}" for inner in Git(path).files())
            elif path.exists() or path.is_symlink():  # else deleted, and the deletion not committed
                yield name

    def commit(self) -> str | None:
        """The commit that is checked out; None before the first one."""
        head = _run(self._folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return head.stdout.decode().strip() if head is not None and head.returncode == 0 else None

    def diff(self, exclude: Iterable[str]) -> str:
        """The uncommitted changes to tracked files in this folder."""
        apart = [f":(exclude,literal){path}" for path in exclude]
        options = ("--no-ext-diff", "--no-textconv", "--no-color", "--relative")
        return self._read("diff", *options, "HEAD", "--", ".", *apart).decode(errors="replace")

    def untracked(self) -> list[str]:
        """Paths of files that are neither tracked nor ignored."""
        names = self._read("ls-files", "-z", "--others", "--exclude-standard").split(b"\0")
        return sorted(os.fsdecode(name) for name in names if name)

    def _read(self, *arguments: str) -> bytes:
        done = _run(self._folder, *arguments)
        if done is None or done.returncode != 0:
            raise PermanentError(f"git {arguments[0]} failed in {self._folder}: {_complaint(done)}.")
        return done.stdout


def author(folder: Path) -> tuple[str, str]:
    """Name and mail of who works here, by git's configuration, else by the newest commit; empty where git knows none."""
    name, mail = (_answer(folder, "config", key) for key in ("user.name", "user.email"))
    if not name:
        name, _, mail = _answer(folder, "log", "-1", "--format=%an%x00%ae").partition("\0")
    return name, mail


def _answer(folder: Path, *arguments: str) -> str:
    done = _run(folder, *arguments)
    return done.stdout.decode(errors="replace").strip() if done is not None and done.returncode == 0 else ""


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    command = ("git", "-C", str(folder), "-c", "core.quotePath=off", *arguments)
    try:
        return subprocess.run(
            command,
            env=environment,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired as error:
        raise TemporaryError(f"git {arguments[0]} in {folder} took longer than {_TIMEOUT:g} s.") from error


def _complaint(done: subprocess.CompletedProcess[bytes] | None) -> str:
    text = (
        done.stderr.decode(errors="replace").strip() if done is not None else "git is not installed any more"
    )
    return text.splitlines()[0].rstrip(".") if text else "it said nothing"
