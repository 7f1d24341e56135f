"""The commands that work on a workload's folder: validate, schema, lock."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import command, late


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
    lock = command(
        commands,
        "lock",
        late("lock", "lock"),
        "Pin what the workload needs in loopwright.lock, to be committed.",
        """loopwright lock
           loopwright lock examples/titanic
           loopwright lock --upgrade
           loopwright lock churn --upgrade numpy pandas""",
    )
    lock.add_argument(
        "folder",
        nargs="?",
        default=".",
        metavar="DIR",
        help="folder with loopwright.yaml (default: this one)",
    )
    lock.add_argument(
        "--upgrade",
        nargs="*",
        metavar="PACKAGE",
        help="take newer versions of these packages, or of all where none is named; else what is pinned stays",
    )
