"""A pip requirements file, with what it includes: `-r other.txt`, `-c constraints.txt`.

The form is pip's own (https://pip.pypa.io/en/stable/reference/requirements-file-format/). What cannot be carried to where
the model serves is refused: a local path, an editable install.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from loopwright.errors import Problem, SpecError
from loopwright.spec.complaints import quoted
from loopwright.training.wanted import Line, Read, Wanted

_INCLUDE = re.compile(r"(-r|--requirement|-c|--constraint)(?:\s+|=|(?<=-[rc]))(\S.*)")
_EDITABLE = re.compile(r"(-e|--editable)([\s=].*|$)")
_WHERE = re.compile(r"(-i|--index-url|--extra-index-url|--no-index|-f|--find-links)([\s=].*|$)")
_LOCAL = re.compile(r"(\.{0,2}/|~|file:|[A-Za-z]:\\).*|[^\s@;]*/[^\s@;]*|.*\.(whl|tar\.gz|zip)")
_COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass
class _Reading:
    """What one walk over the files gathers."""

    read: Read
    requirements: list[Line] = field(default_factory=list)
    constraints: list[Line] = field(default_factory=list)
    options: list[Line] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def wanted_of_requirements(path: str, read: Read) -> Wanted:
    """What a requirements file asks for; raises SpecError with every line that cannot be met."""
    reading = _Reading(read)
    _file(reading, path, None, constraints=False)
    if reading.problems:
        raise SpecError(reading.problems)
    return Wanted(
        tuple(reading.requirements),
        tuple(reading.constraints),
        tuple(reading.options),
        files=tuple(dict.fromkeys(reading.files)),
    )


def check_requirement(line: Line) -> Problem | None:
    """What is wrong with one requirement (PEP 508); None where it is right."""
    from packaging.requirements import InvalidRequirement, Requirement

    text = re.split(r"\s--hash", line.text, maxsplit=1)[0]
    if _LOCAL.fullmatch(text) and "@ http" not in text and "@ git" not in text:
        expected = "a package by its name"
        return line.problem(
            quoted(text), expected, "What lies on this machine alone cannot be carried along."
        )
    try:
        Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        return line.problem(quoted(text), "a requirement such as `numpy>=2.2`", f"{reason.rstrip('.')}.")
    return None


def _file(reading: _Reading, path: str, included: Line | None, constraints: bool) -> None:
    text = reading.read(path)
    if text is None:
        at = included or Line("", path, 1)
        expected = "a file inside the workload's folder that git does not ignore"
        reading.problems.append(at.problem(f"the file {quoted(path)}, which is not there", expected))
        return
    if path in reading.files and included is not None:
        return  # included twice, or in a ring: once is enough
    reading.files.append(path)
    for number, logical in _logical_lines(text):
        _line(reading, Line(logical, path, number), constraints)


def _line(reading: _Reading, line: Line, constraints: bool) -> None:
    include = _INCLUDE.fullmatch(line.text)
    if include:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(line.file), include[2].strip("\"' ")))
        if target.startswith(("/", "..")):
            found = f"the file {quoted(include[2])}"
            reading.problems.append(line.problem(found, "a file inside the workload's folder"))
        else:
            _file(reading, target, line, constraints or include[1] in ("-c", "--constraint"))
    elif _EDITABLE.fullmatch(line.text):
        reading.problems.append(
            line.problem(
                "an editable install",
                "a package by its name",
                "Put the code into the workload's folder instead.",
            )
        )
    elif _WHERE.fullmatch(line.text):
        reading.options.append(line)
    elif line.text.startswith("-"):
        reading.problems.append(
            line.problem(
                f"the option {quoted(line.text)}", "a requirement, `-r`, `-c`, or where to look for packages"
            )
        )
    else:
        problem = check_requirement(line)
        if problem:
            reading.problems.append(problem)
        (reading.constraints if constraints else reading.requirements).append(line)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line that says something; a backslash at its end joins it with the next."""
    start = 1
    parts: list[str] = []
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        start = start if parts else number
        if raw.endswith("\\"):
            parts.append(raw[:-1])
            continue
        whole = _COMMENT.sub("", " ".join([*parts, raw]))
        parts = []
        if whole.strip():
            yield start, " ".join(whole.split())
    if parts and " ".join(parts).strip():
        yield start, " ".join(" ".join(parts).split())
