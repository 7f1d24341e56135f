"""The commands of the loop: up, and the decisions it waits for."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import command, late, named


def add(commands: Any) -> None:
    """Add this group."""
    up = command(
        commands,
        "up",
        late("up", "up"),
        "Bring what a folder declares to production, doing only what has changed.",
        """loopwright up
           loopwright up examples/titanic --auto-approve
           loopwright up --no-wait""",
    )
    up.add_argument(
        "folder",
        nargs="?",
        default=".",
        metavar="DIR",
        help="folder with loopwright.yaml (default: this one)",
    )
    up.add_argument("--auto-approve", action="store_true", help="approve without asking; recorded as such")
    up.add_argument(
        "--again", action="store_true", help="release anew what was rolled back, though nothing has changed"
    )
    up.add_argument("--no-wait", action="store_true", help="ask for it and return at once")
    up.add_argument(
        "--foreground",
        action="store_true",
        help="run the control plane in this command and end everything with it, as for CI",
    )
    for name, summary in (
        ("approve", "Say yes to a release that waits."),
        ("reject", "Say no to a release that waits."),
    ):
        made = command(
            commands,
            name,
            late("decide", name),
            summary,
            f'loopwright {name} titanic-3-prod --comment "seen with operations"',
        )
        made.add_argument("id", metavar="ID", type=named, help="the approval, as `up` and `status` show it")
        made.add_argument("--comment", default="", help="why; kept in the history")
    cancel = command(
        commands,
        "cancel",
        late("cancel", "cancel"),
        "End a change, promotion or rollback that is under way: its jobs end, its clean-up runs, and what serves stays.",
        """loopwright cancel
           loopwright cancel titanic
           loopwright cancel titanic-3""",
    )
    cancel.add_argument(
        "name",
        nargs="?",
        type=named,
        metavar="WORKLOAD|CHANGE",
        help="a change, promotion or rollback, or the workload whose newest change is meant (default: the only one under way)",
    )
