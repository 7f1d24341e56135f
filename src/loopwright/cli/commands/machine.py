"""The commands about this machine and what runs on it: down, doctor, server."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import command, late


def add(commands: Any) -> None:
    """Add this group."""
    command(
        commands,
        "down",
        late("lifecycle", "down"),
        "End everything that runs of this state folder; what was recorded stays.",
        "loopwright down",
    )
    command(
        commands, "doctor", late("lifecycle", "doctor"), "Say what this machine lacks.", "loopwright doctor"
    )
    server = command(
        commands,
        "server",
        late("lifecycle", "server"),
        "Run the control plane in the foreground, as a service manager wants it. Other commands start it by themselves.",
        """loopwright server
           loopwright server --wait""",
    )
    server.add_argument(
        "--wait",
        action="store_true",
        help="stand by while another control plane runs, and take over when it ends",
    )
