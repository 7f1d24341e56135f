"""The whole command line, put together from its groups of commands."""

from __future__ import annotations

import argparse

from loopwright.cli.commands import (
    data,
    folder,
    history,
    keeping,
    lineage,
    loop,
    machine,
    observations,
    planning,
    records,
    secrets,
    start,
    transfer,
)
from loopwright.cli.commands.base import Parser

_GROUPS = (
    start,
    planning,
    loop,
    transfer,
    records,
    history,
    lineage,
    data,
    observations,
    folder,
    secrets,
    keeping,
    machine,
)  # in the order of the help


def build() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = Parser(
        prog="loopwright",
        description="The whole MLOps loop of an AI workload from one spec file.",
        epilog="Start with: loopwright up examples/titanic, or with a table of your own: loopwright init",
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for group in _GROUPS:
        group.add(commands)
    return parser


def parse(words: list[str]) -> argparse.Namespace:
    """Parse a command line; raises UsageError. Help prints itself and exits with status 0."""
    parser = build()
    if not words:
        parser.print_help()
        raise SystemExit(2)
    return parser.parse_args(words)
