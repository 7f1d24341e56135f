"""A conda environment file, such as conda_dependencies.yml, met from PyPI: no conda is needed.

Its pip part counts as it is. A conda package counts where PyPI is known to have the same one (see `conda_names`);
`python=3.12` says the Python version. Everything else (compilers, CUDA, R) is refused by name: nothing is left out
silently. Channels say where conda would look, and mean nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from loopwright.errors import Problem, SpecError
from loopwright.pins import plain_name
from loopwright.spec.complaints import quoted, told
from loopwright.spec.positions import Positions
from loopwright.spec.reading import Document, read_document
from loopwright.training.conda_names import on_pypi, what_it_is
from loopwright.training.requirements_file import check_requirement
from loopwright.training.wanted import Line, Read, Wanted

_KNOWN = ("name", "channels", "dependencies", "prefix")
_SPEC = re.compile(
    r"(?:[^\s:]+::)?(?P<name>[A-Za-z0-9_][A-Za-z0-9._-]*)\s*(?P<version>(?:[=<>!~]=?|\s)[^=\s]*(?:[<>!~]=?[^=\s]*|==[^=\s]*)*)?(?P<build>=[^=\s]+)?"
)
_PYTHON = re.compile(r"={0,2}\s*(3\.\d{1,2})(\.\*)?")
_OURS = frozenset(("pip",))  # the tool of installing, which uv stands in for


def wanted_of_conda(path: str, read: Read) -> Wanted:
    """What it asks for; raises SpecError with every package that PyPI does not have."""
    text = read(path)
    if text is None:
        raise SpecError(
            [Problem(path, 1, 1, "", "no such file", "a conda environment file in the workload's folder")]
        )
    document = read_document(text, path)
    reading = _Reading(path, document.positions)
    if not document.problems:
        reading.document(document)
    problems = [*document.problems, *reading.problems]
    if problems:
        raise SpecError(sorted(problems, key=lambda problem: (problem.line, problem.column)))
    return Wanted(tuple(reading.lines), python=reading.python, files=(path,))


class _Reading:
    """What one walk over the file gathers."""

    def __init__(self, path: str, positions: Positions) -> None:
        self.lines: list[Line] = []
        self.problems: list[Problem] = []
        self.python = ""
        self._path = path
        self._positions = positions

    def document(self, document: Document) -> None:
        value = document.value
        dependencies = value.get("dependencies") if isinstance(value, dict) else None
        if not isinstance(dependencies, list):
            self._complain("", told(dependencies or value), "a list `dependencies`")
            return
        for name in value:
            if name not in _KNOWN:
                hint = "Declare them in loopwright.yaml, under `variables`." if name == "variables" else ""
                self._complain(name, f"the field {quoted(name)}", f"one of {', '.join(_KNOWN)}", hint)
        for index, item in enumerate(dependencies):
            at = f"dependencies.{index}"
            if isinstance(item, dict) and list(item) == ["pip"] and isinstance(item["pip"], list):
                self.lines += self._pip(item["pip"], f"{at}.pip")
            elif isinstance(item, str):
                self._package(item, at)
            else:
                self._complain(at, told(item), "a package such as `numpy=2.2`, or the part `pip`")

    def _pip(self, items: list[object], path: str) -> Iterator[Line]:
        for index, item in enumerate(items):
            at = f"{path}.{index}"
            if not isinstance(item, str) or item.startswith("-"):
                found = quoted(item) if isinstance(item, str) else told(item)
                self._complain(
                    at,
                    found,
                    "a requirement such as `numpy>=2.2`",
                    "Options and includes are for requirements files.",
                )
                continue
            line = Line(" ".join(item.split()), self._path, *self._positions.at(at))
            problem = check_requirement(line)
            if problem:
                self.problems.append(problem)
            yield line

    def _package(self, item: str, at: str) -> None:
        match = _SPEC.fullmatch(item.strip())
        if match is None:
            self._complain(at, quoted(item), "a conda package such as `numpy=2.2` or `numpy>=2,<3`")
            return
        name, version = plain_name(match["name"].lstrip("_")), (match["version"] or "").strip()
        if name == "python":
            self._python(item, version if match["build"] is None else "build", at)
        elif name in _OURS:
            return
        elif not on_pypi(name):
            self._refuse(match["name"], at)
        elif match["build"]:
            hint = f"A build is conda's own; write {match['name']}={version.lstrip('=')}."
            self._complain(
                at, f"the build {quoted(match['build'][1:])} of {match['name']}", "a version alone", hint
            )
        else:
            line = Line(f"{on_pypi(name)}{_as_pip(version)}", self._path, *self._positions.at(at))
            problem = check_requirement(line)
            if problem:
                self.problems.append(problem)
            self.lines.append(line)

    def _python(self, item: str, version: str, at: str) -> None:
        match = _PYTHON.fullmatch(version)
        if match is None:
            hint = "The third number is that of the interpreter at hand."
            self._complain(at, quoted(item), "one Python version such as `python=3.12`", hint)
        else:
            self.python = match[1]

    def _refuse(self, name: str, at: str) -> None:
        what = what_it_is(name.lower())
        found = f"the conda package {name}" + (f", {what}" if what else "")
        hint = (
            "If PyPI has the same project, put it into the part `pip` under its name there; "
            "what the machine itself must have is installed on the machine."
        )
        self._complain(
            at,
            found,
            "a package that PyPI is known to have, since the engine `local` installs from there",
            hint,
        )

    def _complain(self, at: str, found: str, expected: str, hint: str = "") -> None:
        self.problems.append(self._positions.problem(at, found, expected, hint))


def _as_pip(version: str) -> str:
    """Conda's `=1.2` means any 1.2; its `==1.2` and comparisons are pip's own."""
    if not version:
        return ""
    if version[0] in "<>!~" or version.startswith("=="):
        return version
    bare = version.lstrip("= ")
    return f"=={bare}" if bare.endswith("*") else f"=={bare}.*"
