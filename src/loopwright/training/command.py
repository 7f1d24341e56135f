"""The training command: placeholders filled in, and read as parameters."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from types import MappingProxyType

from loopwright.errors import StepFailed

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def render(command: str, values: Mapping[str, str], owner: str = "training.command") -> tuple[str, ...]:
    """Split a command as a POSIX shell splits words, then fill in `{name}` from `values`.

    Splitting first keeps a path with a space one word. Raises StepFailed, which names `owner`, for an unknown placeholder.
    """
    return tuple(_fill(word, values, owner) for word in shlex.split(command))


def _fill(word: str, values: Mapping[str, str], owner: str) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            raise StepFailed(
                f"{owner} names {{{name}}}, expected one of {', '.join(f'{{{key}}}' for key in values)}.",
                [owner],
            )
        return values[name]

    return _PLACEHOLDER.sub(value, word)


def parameters(command: str, values: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """The options of a command as a run's parameters: `--depth 5` and `--depth=5` give {"depth": "5"}.

    Placeholders that are in `values` are filled in. Options whose value holds another one are left out: a path says
    nothing about the model.
    """
    words = shlex.split(command)
    found: dict[str, str] = {}
    for index, word in enumerate(words):
        if not word.startswith("--") or len(word) == 2:
            continue
        name, equals, value = word[2:].partition("=")
        if not equals:
            following = words[index + 1] if index + 1 < len(words) else ""
            value = following if following and not following.startswith("--") else "true"
        value = _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), value)
        if not _PLACEHOLDER.search(value):
            found[name] = value
    return found
