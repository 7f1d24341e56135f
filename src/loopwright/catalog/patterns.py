"""Which files of a snapshot a step sees: glob patterns, as people know them from .gitignore and CI files.

`*` and `?` stay within a name, `**` spans folders (none or many), `[abc]` and `[!abc]` are one character. A pattern is
matched against the whole path, and one that matches a folder takes everything in it. Names that begin with a dot are
matched like all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from loopwright.errors import PermanentError


def select(
    files: Mapping[str, str], include: Iterable[str] | None = None, exclude: Iterable[str] = ()
) -> dict[str, str]:
    """The files that any of `include` matches (None: all) and none of `exclude` does, by path, in order."""
    wanted = None if include is None else [_compiled(pattern) for pattern in include]
    unwanted = [_compiled(pattern) for pattern in exclude]
    return {
        path: files[path]
        for path in sorted(files)
        if (wanted is None or _any(wanted, path)) and not _any(unwanted, path)
    }


def unmatched(files: Iterable[str], patterns: Iterable[str]) -> tuple[str, ...]:
    """The patterns that match no file; most often misspelled."""
    paths = list(files)
    return tuple(pattern for pattern in patterns if not any(_compiled(pattern).match(path) for path in paths))


def _any(patterns: list[re.Pattern[str]], path: str) -> bool:
    return any(pattern.match(path) for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if not parts or pattern.startswith("/") or ".." in parts:
        raise PermanentError(
            f"The file pattern {pattern!r} is not a path inside the workload's folder, such as src/**/*.py."
        )
    expression = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            if not last and parts[number + 1] == "**":
                continue  # as one, or the expression would try all ways to share the folders
            expression += ".+" if last else "(?:[^/]+/)*"
        else:
            expression += _name(part) + ("" if last else "/")
    return re.compile(rf"(?s:{expression}(?:/.*)?)\Z")


def _name(part: str) -> str:
    expression, position = "", 0
    while position < len(part):
        character, end = part[position], -1
        if character == "[":
            end = part.find("]", position + (3 if part[position + 1 : position + 2] in ("!", "^") else 2))
        if end > 0:
            expression += _one_of(part[position + 1 : end])
            position = end
        elif character == "*":
            expression += "" if expression.endswith("[^/]*") else "[^/]*"
        else:
            expression += "[^/]" if character == "?" else re.escape(character)
        position += 1
    return expression


def _one_of(content: str) -> str:
    negated = content[0] in "!^"
    inside = re.sub(r"([\\\[\]&~|^])", r"\\\1", content[1:] if negated else content)
    expression = f"(?!/)[{'^' if negated else ''}{inside}]"
    try:
        re.compile(expression)
    except re.error as error:
        raise PermanentError(
            f"The file pattern part [{content}] is not a set of characters: {error}."
        ) from error
    return expression
