"""The commands that read what is and what was: status, logs, history."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import command, late, positive


def add(commands: Any) -> None:
    """Add this group."""
    status = command(
        commands,
        "status",
        late("records", "status"),
        "Show what runs, what serves where, and what waits.",
        """loopwright status
           loopwright status titanic --json""",
    )
    status.add_argument("workload", nargs="?", help="only this workload")
    logs = command(
        commands,
        "logs",
        late("records", "logs"),
        "Show the output of a step's newest job, or of an environment's replicas.",
        """loopwright logs titanic train
           loopwright logs titanic prod
           loopwright logs titanic train --follow""",
    )
    logs.add_argument("workload", help="the workload")
    logs.add_argument("part", nargs="?", help="a step or an environment (default: the step that ran last)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as more is written")
    history = command(
        commands,
        "history",
        late("records", "history"),
        "Show who did what and when, or verify that the record is whole.",
        """loopwright history
           loopwright history --workload titanic --limit 20
           loopwright history verify""",
    )
    history.add_argument(
        "action", nargs="?", choices=["verify"], help="verify: check the chain of hashes and its signed head"
    )
    history.add_argument("--workload", help="only this workload")
    history.add_argument(
        "--limit", type=positive, default=50, help="how many of the newest facts (default: 50)"
    )
