"""The commands that read what is: status and logs."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import command, late


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
        late("logs", "logs"),
        "Show the output of a step's newest job, or of an environment's replicas.",
        """loopwright logs titanic train
           loopwright logs titanic prod
           loopwright logs titanic train --follow""",
    )
    logs.add_argument("workload", help="the workload")
    logs.add_argument("part", nargs="?", help="a step or an environment (default: the step that ran last)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as more is written")
