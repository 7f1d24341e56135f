"""The commands about data: a first schema, and the versions that were checked."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import Parser, command, late, named


def add(commands: Any) -> None:
    """Add this group."""
    summary = "Work with data: a first schema, and the versions that were checked."
    data = commands.add_parser("data", help=summary, description=summary, allow_abbrev=False)
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
    listed = command(
        actions,
        "list",
        late("lineage", "data_list"),
        "List the data versions with rows, split, owner, and what was trained on them; and what was refused.",
        """loopwright data list
           loopwright data list titanic --json""",
    )
    listed.add_argument(
        "workload", nargs="?", type=named, help="only this workload's; its beginning is enough"
    )
    shown = command(
        actions,
        "show",
        late("lineage", "data_show"),
        "Show a data version: columns with their statistics, label balance, warnings, and what was made of it.",
        """loopwright data show titanic
           loopwright data show titanic a09b6a7f
           loopwright data show titanic:17""",
    )
    shown.add_argument("workload", type=named, help="the workload; its beginning is enough")
    shown.add_argument(
        "version",
        nargs="?",
        default="newest",
        type=named,
        help="the version's beginning (default: the newest)",
    )
