"""`[project].dependencies` of a pyproject.toml, and its optional dependencies by name (PEP 621)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loopwright.errors import Problem, SpecError
from loopwright.pins import plain_name
from loopwright.spec.complaints import listed, quoted
from loopwright.training.requirements_file import check_requirement
from loopwright.training.wanted import Line, Read, Wanted

_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")
_OWN_EXTRA = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*\[(?P<extras>[^\]]*)\]\s*")


def wanted_of_pyproject(path: str, extras: Sequence[str], read: Read) -> Wanted:
    """What it asks for; raises SpecError where it does not say it plainly."""
    text = read(path)
    if text is None:
        raise SpecError(
            [Problem(path, 1, 1, "", "no such file", "a pyproject.toml in the workload's folder")]
        )
    project = _project(path, text)
    lines = [*_lines(path, text, _strings(path, text, project, "dependencies"))]
    for extra in extras:
        lines += _extra(path, text, project, extra, ())
    problems = [problem for line in lines if (problem := check_requirement(line))]
    if problems:
        raise SpecError(problems)
    return Wanted(tuple(dict.fromkeys(lines)), files=(path,))


def _project(path: str, text: str) -> Mapping[str, Any]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        line, column = (int(place[1]), int(place[2])) if place else (1, 1)
        reason = str(error).partition(" (at")[0]
        raise SpecError(
            [Problem(path, line, column, "", "text that is not TOML", "TOML", f"{reason}.")]
        ) from None
    project = content.get("project")
    if not isinstance(project, dict):
        expected = "a table `[project]` with `dependencies`"
        hint = "Other tools' own tables, such as [tool.poetry], are not read."
        raise SpecError([Problem(path, 1, 1, "", "no table `[project]`", expected, hint)])
    for name in ("dependencies", "optional-dependencies"):
        if name in project.get("dynamic", ()):
            found = f"{quoted(name)} among the dynamic fields"
            line = _line_of(text, "dynamic")
            raise SpecError([Problem(path, line, 1, "project.dynamic", found, "a list of them in the file")])
    return project


def _strings(path: str, text: str, table: Mapping[str, Any], name: str) -> list[str]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SpecError(
            [Problem(path, _line_of(text, name), 1, name, "no list of texts", "a list of requirements")]
        )
    return value


def _extra(
    path: str, text: str, project: Mapping[str, Any], extra: str, within: tuple[str, ...]
) -> Iterator[Line]:
    """The lines of an extra; one that names extras of the project itself (`churn[gpu]`) brings theirs."""
    table = project.get("optional-dependencies", {})
    known = {plain_name(name): name for name in table}
    if plain_name(extra) not in known:
        expected = listed(sorted(table)) if table else "no extras, for it has none"
        at = _line_of(text, "optional-dependencies")
        raise SpecError([Problem(path, at, 1, "", f"no extra {quoted(extra)}", expected)])
    for line in _lines(path, text, _strings(path, text, table, known[plain_name(extra)])):
        own = _OWN_EXTRA.fullmatch(line.text)
        if own is None or plain_name(own["name"]) != plain_name(str(project.get("name", ""))):
            yield line
            continue
        for name in (part.strip() for part in own["extras"].split(",")):
            if name not in within:
                yield from _extra(path, text, project, name, (*within, extra))


def _lines(path: str, text: str, requirements: Sequence[str]) -> Iterator[Line]:
    for requirement in requirements:
        yield Line(" ".join(requirement.split()), path, _line_of(text, requirement))


def _line_of(text: str, piece: str) -> int:
    """The first line that holds a piece of text: TOML's reader of the standard library keeps no places."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if piece in line), 1)
