"""The reference of the command line, generated from the parser: `python -m loopwright.cli.reference`."""

from __future__ import annotations

import argparse
import os

from loopwright.cli.parser import build


def markdown() -> str:
    """docs/reference/cli.md; a test keeps the two equal."""
    os.environ["COLUMNS"] = "100"  # argparse wraps at the terminal's width
    parts = [
        "# Command line\n",
        "Generated from the code by `make docs`. Every command takes `--json` and `--home`.\n",
    ]
    parts.append("Exit status: 0 done, 1 a clear no, 2 not understood, 130 interrupted.\n")
    for name, command in _commands(build()):
        parts.append(f"## {name}\n\n```\n{command.format_help().strip()}\n```\n")
    return "\n".join(parts)


def _commands(parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    found: list[tuple[str, argparse.ArgumentParser]] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                inner = _commands(command)
                found += inner or [(command.prog, command)]
    return found


if __name__ == "__main__":
    print(markdown(), end="")
