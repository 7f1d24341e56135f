"""What a workload's dependency file asks for, whatever its form, as the lines of one requirements file.

Pure but for `read`, which gives the text of a file by its path in the workload's folder: that folder's own files when a
spec is checked, the store's when a change is worked on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loopwright.errors import Problem, SpecError
from loopwright.spec.dependencies import Dependencies

Read = Callable[[str], str | None]
"""The text of a file inside the workload's folder; None where there is none."""


@dataclass(frozen=True)
class Line:
    """One requirement, and where it stands."""

    text: str
    file: str
    line: int
    column: int = 1

    def problem(self, found: str, expected: str, hint: str = "") -> Problem:
        """What is wrong with it."""
        return Problem(self.file, self.line, self.column, "", found, expected, hint)


@dataclass(frozen=True)
class Wanted:
    """All that is asked for."""

    requirements: tuple[Line, ...]
    constraints: tuple[Line, ...] = ()
    options: tuple[Line, ...] = ()  # such as --index-url: where to look, never what
    python: str = ""  # such as 3.12; empty where the file does not say
    files: tuple[str, ...] = ()  # every file that was read, the named one first

    def texts(self) -> dict[str, list[str]]:
        """The lines alone, as JSON."""
        kinds = {"requirements": self.requirements, "constraints": self.constraints, "options": self.options}
        return {kind: [line.text for line in lines] for kind, lines in kinds.items()}


def text_reader(files: Mapping[str, str], content: Callable[[str], Path]) -> Read:
    """Reads the files of a listing (path -> name of its content); raises SpecError for one that is no text."""

    def read(path: str) -> str | None:
        return None if path not in files else _text(content(files[path]), path)

    return read


def folder_reader(folder: Path) -> Read:
    """Reads the files of a folder, and nothing outside of it; raises SpecError for one that is no text."""

    def read(path: str) -> str | None:
        file = folder / path
        inside = file.is_file() and file.resolve().is_relative_to(folder.resolve())
        return _text(file, path) if inside else None

    return read


def _text(file: Path, path: str) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        found = "bytes that are not UTF-8"
        raise SpecError(
            [Problem(path, 1, 1, "", found, "text in UTF-8", "Save the file as UTF-8.")]
        ) from None


def gather(dependencies: Dependencies, read: Read) -> Wanted:
    """What the named file asks for; raises SpecError with every line that cannot be met."""
    if dependencies.pyproject:
        from loopwright.training.pyproject_file import wanted_of_pyproject

        found = wanted_of_pyproject(dependencies.pyproject, dependencies.extras, read)
    elif dependencies.conda:
        from loopwright.training.conda_file import wanted_of_conda

        found = wanted_of_conda(dependencies.conda, read)
    else:
        from loopwright.training.requirements_file import wanted_of_requirements

        found = wanted_of_requirements(dependencies.file, read)
    _require_one_python(dependencies, found)
    return found


def _require_one_python(dependencies: Dependencies, found: Wanted) -> None:
    if dependencies.python and found.python and dependencies.python != found.python:
        at = Problem(
            dependencies.file,
            1,
            1,
            "",
            f"Python {found.python}",
            f"{dependencies.python}, as training.dependencies.python says",
            "Say it in one place.",
        )
        raise SpecError([at])
