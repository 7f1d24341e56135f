"""The commands of secrets."""

from __future__ import annotations

from argparse import SUPPRESS
from typing import Any

from loopwright.cli.commands.base import Parser, command, late, named


def add(commands: Any) -> None:
    """Add this group."""
    secrets = commands.add_parser(
        "secrets",
        help="Keep values that specs name and nothing shows.",
        description="Keep values that specs name and nothing shows.",
        allow_abbrev=False,
    )
    actions = secrets.add_subparsers(metavar="ACTION", required=True, parser_class=Parser)
    made = command(
        actions,
        "set",
        late("secrets", "set_"),
        "Keep a value under a name; from standard input or a file, never from the command line.",
        """loopwright secrets set API_TOKEN
           loopwright secrets set API_TOKEN < token.txt
           loopwright secrets set TLS_KEY --file key.pem""",
    )
    made.add_argument("name", metavar="NAME", type=named, help="what specs call it: `secret:NAME`")
    made.add_argument("more", nargs="*", default=[], help=SUPPRESS)
    made.add_argument("--file", metavar="FILE", help="the file with the value (default: standard input)")
    command(actions, "list", late("secrets", "list_"), "Show names, never values.", "loopwright secrets list")
    gone = command(
        actions,
        "remove",
        late("secrets", "remove"),
        "Forget a value; what runs keeps what it has.",
        "loopwright secrets remove API_TOKEN",
    )
    gone.add_argument("name", metavar="NAME", type=named, help="its name")
