"""The commands that work on a workload's folder: validate, schema, data."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import Parser, command, late


def add(commands: Any) -> None:
    """Add this group."""
    validate = command(
        commands,
        "validate",
        late("folder", "validate"),
        "Check a spec and the files it names; run nothing.",
        """loopwright validate
           loopwright validate examples/titanic --json""",
    )
    validate.add_argument(
        "folder",
        nargs="?",
        default=".",
        metavar="DIR",
        help="folder with loopwright.yaml (default: this one)",
    )
    command(
        commands,
        "schema",
        late("folder", "schema"),
        "Print the JSON Schema of loopwright.yaml.",
        "loopwright schema > loopwright.schema.json",
    )
    data = commands.add_parser(
        "data", help="Work with data.", description="Work with data.", allow_abbrev=False
    )
    actions = data.add_subparsers(metavar="ACTION", required=True, parser_class=Parser)
    infer = command(
        actions,
        "infer",
        late("folder", "infer"),
        "Write a first schema file from the data as they are; then it is yours.",
        """loopwright data infer
           loopwright data infer examples/titanic --name passengers --force""",
    )
    infer.add_argument(
        "folder",
        nargs="?",
        default=".",
        metavar="DIR",
        help="folder with loopwright.yaml (default: this one)",
    )
    infer.add_argument("--name", help="the data set (default: the only one)")
    infer.add_argument("--force", action="store_true", help="replace a schema file that is there")
