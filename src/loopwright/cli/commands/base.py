"""What every command is made of: its parser, its late import, its examples, and the types of its options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from loopwright.errors import UsageError

Run = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """Raises our error instead of exiting."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. `{self.prog} --help` shows how it is used.")

    def _match_arguments_partial(self, actions: Any, pattern: str) -> list[int]:
        """Keep arguments that may be left out for what stands behind an option, as Python 3.13 does.

        Else `models titanic --json 2` takes the version for absent at `--json`, and then knows nothing of a 2.
        """
        counts: list[int] = super()._match_arguments_partial(actions, pattern)
        while "O" in pattern and counts and counts[-1] == 0:
            counts.pop()
        return counts


def late(module: str, name: str) -> Run:
    """A command's function, imported when it runs."""

    def run(parsed: argparse.Namespace) -> int:
        from importlib import import_module

        function: Run = getattr(import_module(f"loopwright.cli.{module}"), name)
        return function(parsed)

    return run


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--home", help="state folder (default: $LOOPWRIGHT_HOME, else ~/.loopwright)")
    common.add_argument("--json", action="store_true", help="answer as JSON, for programs")
    return common


def command(commands: Any, name: str, run: Run, summary: str, examples: str) -> argparse.ArgumentParser:
    """Add a command; its own options are the caller's to add."""
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog="examples:\n" + "\n".join(f"  {line.strip()}" for line in examples.strip().splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_common()],
        allow_abbrev=False,
    )
    made.set_defaults(run=run)
    return made


def named(text: str) -> str:
    """The type of an argument that must not be empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("found nothing, expected a name such as titanic-3-prod")
    return text


def positive(text: str) -> int:
    """The type of a count."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number of at least 1")
    return int(text)
