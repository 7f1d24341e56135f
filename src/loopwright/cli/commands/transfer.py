"""The commands that bring about a release on record again: rollback."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import command, late, named


def add(commands: Any) -> None:
    """Add this group."""
    rollback = command(
        commands,
        "rollback",
        late("transfer", "rollback"),
        "Take an environment back to the version before, or to any that served there.",
        """loopwright rollback
           loopwright rollback prod --comment "wrong answers for children"
           loopwright rollback prod titanic:3""",
    )
    rollback.add_argument(
        "words",
        nargs="*",
        type=named,
        metavar="WORKLOAD ENV VERSION",
        help="each may be left out: the only workload, its last environment, the version before",
    )
    rollback.add_argument("--comment", default="", help="why; kept in the history")
