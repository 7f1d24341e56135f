"""Begin a workload: read a table, draft the files around it, and write all of them or none."""

from __future__ import annotations

import contextlib
import filecmp
import getpass
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopwright.errors import ConflictError, MachineError, NotFoundError, UsageError
from loopwright.loop.files import SPEC_FILE
from loopwright.state import replace_file

if TYPE_CHECKING:
    from loopwright.starting import Draft

_KEPT = ("README.md", ".gitignore")  # a project may have its own: they are written only where there is none
_FORMATS = (".csv", ".parquet")


@dataclass(frozen=True)
class Beginning:
    """What `loopwright init` is told; `name` and `task` may be left to it."""

    folder: Path
    data: Path
    label: str
    name: str | None = None
    task: str | None = None
    owner: str | None = None
    leave_out: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    force: bool = False


def init(asked: Beginning) -> dict[str, Any]:
    """Write a workload for a table.

    Raises ConflictError where files stand in the way (unless `force`), StepFailed where nothing can be learned from the
    table. Where it raises, nothing was written.
    """
    from loopwright.datasets.reading import read
    from loopwright.starting import Wish, draft, named_after

    folder, data = asked.folder.resolve(), _found(asked.data)
    if folder.exists() and not folder.is_dir():
        raise ConflictError(f"{asked.folder} is a file, expected a folder or a name for a new one.")
    inside = data.is_relative_to(folder)
    source = (
        str(data.relative_to(folder))
        if inside
        else f"data/{named_after(data.stem, 'rows')}{data.suffix.lower()}"
    )
    wish = Wish(
        label=asked.label,
        workload=_name(asked.name) or named_after(folder.name, named_after(data.stem, "workload")),
        data=named_after(data.stem, "rows"),
        source=source,
        owner=asked.owner or _owner(folder),
        task=asked.task,
        leave_out=asked.leave_out,
        use=asked.use,
    )
    made = draft(read(data, str(asked.data)), wish)
    _require_valid(made)
    contents: dict[str, bytes | Path] = {} if inside else {source: data}
    contents |= {name: text.encode() for name, text in made.files.items()}
    written = _write(folder, contents, asked.force)
    return {
        "folder": str(asked.folder),
        "workload": wish.workload,
        "task": made.task,
        "files": written,
        "kept": [name for name in _KEPT if name not in written],
        "decisions": list(made.decisions),
        "warnings": list(made.warnings),
        "features": dict(made.features),
        "left_out": dict(made.left_out),
    }


def columns_of(data: Path) -> list[str]:
    """The names of a table's columns, in order."""
    from loopwright.datasets.reading import read

    return list(read(_found(data), str(data)).columns)


def _found(data: Path) -> Path:
    if data.suffix.lower() not in _FORMATS:
        raise UsageError(f"{data}: expected a file that ends in {' or '.join(_FORMATS)}; save the data so.")
    if not data.is_file():
        raise NotFoundError(f"{data}: no such file, expected a table in CSV or Parquet.")
    return data.resolve()


def _name(name: str | None) -> str | None:
    from loopwright.starting import named_after

    if name is not None and named_after(name, "") != name:
        near = named_after(name, "")
        hint = f" Did you mean {near}?" if near else ""
        raise UsageError(
            f"--name is {name!r}, expected at most 40 lower-case letters, digits and dashes that begin with a letter.{hint}"
        )
    return name


def _owner(folder: Path) -> str:
    """The mail address that git knows, else the user's name."""
    place = next((one for one in (folder, *folder.parents) if one.is_dir()), Path.cwd())
    try:
        done = subprocess.run(
            ["git", "-C", str(place), "config", "user.email"], capture_output=True, text=True, check=False
        )
    except OSError:
        return getpass.getuser()
    return done.stdout.strip() or getpass.getuser()


def _require_valid(made: Draft) -> None:
    """What is drafted must be what `validate` takes; raises SpecError, as for a source whose path cannot be named."""
    from loopwright.datasets.schema import load
    from loopwright.spec import CasesFile, load_text, parse

    spec = load_text(made.files[SPEC_FILE], SPEC_FILE)
    with tempfile.TemporaryDirectory(prefix="loopwright-") as place:
        for name, text in made.files.items():
            file = Path(place) / Path(name).name
            file.write_text(text)
            if name == spec.tests.functional:
                parse(CasesFile, file, name)
            elif name in [data.data_schema for data in spec.data.values()]:
                load(file, name)


def _write(folder: Path, contents: Mapping[str, bytes | Path], force: bool) -> list[str]:
    """Write files, or copy them where a path is given: all or none. Returns those that were written."""
    contents = {
        name: one for name, one in contents.items() if not (name in _KEPT and (folder / name).exists())
    }
    _require_room(folder, contents, force)
    before: dict[Path, bytes | None] = {}
    made: list[Path] = []
    try:
        for name, content in contents.items():
            path = folder / name
            made += [one for one in (path.parent, *path.parent.parents) if not one.exists()][::-1]
            path.parent.mkdir(parents=True, exist_ok=True)
            before[path] = path.read_bytes() if path.exists() else None
            replace_file(path, content if isinstance(content, bytes) else content.read_bytes(), mode=0o644)
    except OSError as error:
        _undo(before, made)
        raise MachineError(
            f"{error.filename or folder}: cannot be written ({error.strerror}). Nothing was written."
        ) from error
    return list(contents)


def _require_room(folder: Path, contents: Mapping[str, bytes | Path], force: bool) -> None:
    """Refuse to replace what is there and other than what would be written."""
    taken = [name for name, content in contents.items() if _differs(folder / name, content)]
    folders = [name for name in taken if (folder / name).is_dir()]
    if folders:
        raise ConflictError(
            f"{folder / folders[0]} is a folder, and a file is to stand there. Nothing was written."
        )
    if taken and not force:
        are = "stand" if len(taken) > 1 else "stands"
        raise ConflictError(
            f"{', '.join(taken)} {are} in {folder} already, and may hold your work. Nothing was written. "
            "Choose another folder, or use --force to replace."
        )


def _differs(path: Path, content: bytes | Path) -> bool:
    if not path.exists():
        return False
    if path.is_dir():
        return True
    return (
        path.read_bytes() != content if isinstance(content, bytes) else not filecmp.cmp(path, content, False)
    )


def _undo(before: Mapping[Path, bytes | None], made: list[Path]) -> None:
    for path, content in before.items():
        if content is None:
            path.unlink(missing_ok=True)
        else:
            replace_file(path, content, mode=0o644)
    for folder in reversed(made):
        with contextlib.suppress(OSError):
            folder.rmdir()
