"""Are the files that a spec names there, and inside the workload's folder?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loopwright.spec.complaints import Complaint, quoted
from loopwright.spec.dependencies import SOURCES
from loopwright.spec.outline import data_names, group_names, stated, task_names, words
from loopwright.spec.wording import nearest

_INSIDE = "a file inside the workload's folder"
_FORMATS = (".csv", ".parquet")
_INTERPRETER = re.compile(r"python(3(\.[0-9]+)?)?")


@dataclass(frozen=True)
class _Named:
    at: str
    file: object
    hint: str = ""


def missing_files(spec: object, folder: Path, schemas: bool = True) -> list[Complaint]:
    """A complaint for each named file that is not a file inside `folder`; schema files are looked at where `schemas`."""
    return [complaint for named in _named(spec, schemas) for complaint in _looked_at(named, folder)]


def _named(spec: object, schemas: bool) -> Iterator[_Named]:
    for name in data_names(spec):
        yield _Named(f"data.{name}.source", stated(spec, "data", name, "source"))
        if schemas:
            hint = f"`loopwright data infer` makes it from the data set {name}."
            yield _Named(f"data.{name}.schema", stated(spec, "data", name, "schema"), hint)
    yield _Named("training.command", _script(stated(spec, "training", "command")))
    for name in task_names(spec):
        command = stated(spec, "pipeline", "tasks", name, "command")
        yield _Named(f"pipeline.tasks.{name}.command", _script(command))
    for source in SOURCES:
        yield _Named(f"training.dependencies.{source}", stated(spec, "training", "dependencies", source))
    for name in group_names(spec):
        yield _Named(f"variable_groups.{name}.file", stated(spec, "variable_groups", name, "file"))
    yield _Named("serving.entry", stated(spec, "serving", "entry"))
    yield _Named("tests.functional", stated(spec, "tests", "functional"))


def _script(command: object) -> str | None:
    """The script of `python SCRIPT ...`; None for any other command."""
    parts = (words(command) or []) if isinstance(command, str) else []
    runs_script = (
        len(parts) > 1
        and _INTERPRETER.fullmatch(parts[0])
        and parts[1].endswith(".py")
        and "{" not in parts[1]
    )
    return parts[1] if runs_script else None


def _looked_at(named: _Named, folder: Path) -> Iterator[Complaint]:
    file = named.file
    if (
        not isinstance(file, str)
        or not file
        or not file.isprintable()
        or file.startswith(("/", "~"))
        or ".." in file.split("/")
    ):
        return  # no path inside the folder: its notation says so
    if named.at.endswith(".source") and not file.lower().endswith(_FORMATS):
        yield Complaint(named.at, f"the file {quoted(file)}", "a file that ends in .csv or .parquet")
        return
    path = folder / file
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            yield Complaint(
                named.at,
                f"{quoted(file)}, a link that leads out of the folder",
                _INSIDE,
                "Copy the file into it.",
            )
        elif not path.is_file():
            found = (
                f"{quoted(file)}, which is a folder"
                if path.is_dir()
                else f"{quoted(file)}, which does not exist"
            )
            yield Complaint(named.at, found, _INSIDE, named.hint or _beside(path, file))
    except (OSError, RuntimeError) as error:  # a name too long; a ring of links
        reason = getattr(error, "strerror", None) or "its links lead in a ring"
        yield Complaint(
            named.at,
            f"{quoted(file)}, which cannot be looked at ({reason})",
            _INSIDE,
        )


def _beside(path: Path, file: str) -> str:
    try:
        there = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return ""
    near = nearest(path.name, there)
    return f"Did you mean `{file.removesuffix(path.name)}{near}`?" if near else ""
