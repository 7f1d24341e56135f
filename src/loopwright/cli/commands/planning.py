"""The command that looks ahead: plan."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import command, late


def add(commands: Any) -> None:
    """Add this group."""
    plan = command(
        commands,
        "plan",
        late("planning", "plan"),
        "Show what `up` would do and why, step by step; do nothing.",
        """loopwright plan
           loopwright plan examples/titanic --json
           loopwright plan --detailed-exitcode""",
    )
    plan.add_argument(
        "folder",
        nargs="?",
        default=".",
        metavar="DIR",
        help="folder with loopwright.yaml (default: this one)",
    )
    plan.add_argument("--again", action="store_true", help="as for `up --again`: what was rolled back too")
    plan.add_argument(
        "--detailed-exitcode",
        action="store_true",
        help="exit with 0 where nothing would be done and with 3 where something would (1: an error, 2: wrong usage)",
    )
