"""Names, paths and other texts that follow a pattern."""

from __future__ import annotations

import posixpath
import re
from typing import Annotated

from pydantic import Field

from loopwright.spec.notation import Notation, text_notation

_WITHIN = r"(?![/~])(?!(.*/)?\.\.(/|$))[^\u0000-\u001f\u007f]+"


def _near_name(value: object) -> str | None:
    parts = re.findall(r"[a-z0-9]+", str(value).lower())
    return "-".join(parts)[:40].strip("-")


Text = Annotated[str, Field(min_length=1)]
"""Any text but an empty one."""

Name = Annotated[
    str,
    text_notation(
        "name",
        "a name of at most 40 lower-case letters, digits and dashes that begins with a letter, such as `titanic` or `passengers-2`",
        r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?",
        _near_name,
    ),
]
"""The name of a workload, a data set or an environment."""

RelativePath = Annotated[
    str,
    text_notation(
        "path",
        "a path inside the workload's folder, such as `data/rows.csv`",
        _WITHIN,
        clean=posixpath.normpath,
    ),
]
"""A file inside the workload's folder, as `a/b` without `.`, `..` or doubled slashes."""

OutputPath = Annotated[
    str,
    text_notation(
        "path in outputs",
        "a path inside what training writes into `{outputs}`, such as `model.joblib`",
        r"(?!\{)" + _WITHIN,
        lambda value: str(value).removeprefix("{outputs}/"),
        clean=posixpath.normpath,
    ),
]
"""A file or folder that training writes, as `a/b` below its outputs."""

GlobPattern = Annotated[
    str,
    text_notation(
        "pattern", "a pattern of paths inside the workload's folder, such as `src/**/*.py`", _WITHIN
    ),
]

Origin = Annotated[
    str,
    text_notation(
        "origin",
        "an origin of web pages, such as `https://app.example.com` or `http://localhost:3000`, or `*` for all",
        r"(\*|https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?)",
        lambda value: str(value).rstrip("/"),
    ),
]
"""As browsers send it: scheme, host and port, without a path."""

PythonVersion = Annotated[
    str,
    text_notation(
        'version such as `"3.12"`',
        'a Python version in quotes, such as "3.12"',
        r"3\.[0-9]{1,2}",
        lambda value: re.sub(r"(3\.[0-9]+)\.[0-9]+", r"\1", str(value)),
    ),
]

AnswerPath = Annotated[
    str,
    text_notation(
        "place",
        "a place in the answer, such as `prediction` or `result.0.label`",
        r"([^.\u0000-\u001f]+(\.[^.\u0000-\u001f]+)*)?",
    ),
]
"""Names and list positions, joined by dots; empty for the whole answer."""


def _read_label(value: object) -> str | int | float | bool:
    if isinstance(value, str | int | float):
        return value
    raise ValueError


Label = Annotated[
    str | int | float | bool,
    Notation(
        "label",
        "one value: text, a number, `true` or `false`",
        {"type": ["string", "number", "boolean"]},
        _read_label,
    ),
]
"""A value of a label column."""
