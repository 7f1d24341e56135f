"""The commands that keep an installation: backup, restore, service."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import Parser, command, late


def add(commands: Any) -> None:
    """Add this group."""
    backup = command(
        commands,
        "backup",
        late("keeping", "backup"),
        "Write all that is known here into one file, also while it serves.",
        "loopwright backup /backups/loopwright-2026-11-21.tar.gz",
    )
    backup.add_argument(
        "file", metavar="FILE", help="the file to write; it must not be there yet, and will hold keys"
    )
    restore = command(
        commands,
        "restore",
        late("keeping", "restore"),
        "Make a state folder from a backup; it must be empty or not there yet.",
        """loopwright restore /backups/loopwright-2026-11-21.tar.gz
           loopwright restore backup.tar.gz --home /srv/loopwright --start""",
    )
    restore.add_argument("file", metavar="FILE", help="the file that `loopwright backup` wrote")
    restore.add_argument(
        "--start", action="store_true", help="start the control plane, so that what served serves again"
    )
    _service(commands)


def _service(commands: Any) -> None:
    told = "Have systemd run the control plane, so that all comes back after a reboot."
    service = commands.add_parser("service", help=told, description=told, allow_abbrev=False)
    actions = service.add_subparsers(metavar="ACTION", required=True, parser_class=Parser)
    for name, summary, examples in (
        (
            "install",
            "Write the unit, enable and start it.",
            """loopwright service install
               loopwright service install --print
               sudo loopwright service install --system --home /srv/loopwright""",
        ),
        (
            "uninstall",
            "Stop all that it runs, in order, and remove the unit.",
            "loopwright service uninstall",
        ),
        ("status", "Say whether it is installed, and how it stands.", "loopwright service status"),
    ):
        made = command(actions, name, late("service", name), summary, examples)
        made.add_argument(
            "--system", action="store_true", help="the machine's systemd instead of your own; needs root"
        )
        if name == "install":
            made.add_argument("--print", action="store_true", help="only show the unit")
