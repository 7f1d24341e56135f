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
    clean = command(
        commands,
        "clean",
        late("clean", "clean"),
        "Remove what is old and no longer needed; the control plane does so by itself once a day.",
        """loopwright clean --dry-run
           loopwright clean --older-than 7d""",
    )
    clean.add_argument(
        "--older-than",
        metavar="DURATION",
        help="how long what nobody uses is kept (default: 30d, or what settings.json says)",
    )
    clean.add_argument("--dry-run", action="store_true", help="only say what would go")
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
