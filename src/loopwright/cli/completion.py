"""`loopwright completion`: a script that completes commands, options and files in a shell, without asking Loopwright.

Generated from the parser by shtab, so a key press starts no Python.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

_FOLDERS = ("DIR",)
_FILES = ("FILE",)


def completion(parsed: argparse.Namespace) -> int:
    """Print the script."""
    script = written(parsed.shell)
    print(json.dumps({"shell": parsed.shell, "script": script}) if parsed.json else script)
    return 0


def written(shell: str) -> str:
    """The script for bash, zsh or fish."""
    import shtab

    from loopwright.cli.parser import build

    parser = build()
    for action in _actions(parser):
        if action.metavar in _FOLDERS or action.dest == "home":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All arguments and options of a parser and of those below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _actions(below)
        else:
            yield action
