"""The commands that bring about a release on record again, or end one: rollback, promote, retire."""

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
    promote = command(
        commands,
        "promote",
        late("transfer", "promote"),
        "Bring what serves in one environment to a later one, as it is.",
        """loopwright promote dev prod
           loopwright promote staging prod titanic --comment "seen with operations\"""",
    )
    promote.add_argument("source", metavar="SOURCE", type=named, help="the environment where it serves")
    promote.add_argument("target", metavar="TARGET", type=named, help="the environment that it is brought to")
    promote.add_argument("workload", nargs="?", type=named, help="the workload (default: the only one)")
    promote.add_argument(
        "--skip", action="store_true", help="leave out the environments between; a protected target refuses"
    )
    promote.add_argument("--comment", default="", help="why; kept in the history")
    promote.add_argument("--no-wait", action="store_true", help="ask for it and return at once")
    retire = command(
        commands,
        "retire",
        late("retire", "retire"),
        "End what serves in an environment that the spec does not have any more.",
        """loopwright retire staging
           loopwright retire staging titanic --comment "replaced by the cluster\"""",
    )
    retire.add_argument("environment", metavar="ENV", type=named, help="the environment, as it was called")
    retire.add_argument("workload", nargs="?", type=named, help="the workload (default: the only one)")
    retire.add_argument("--comment", default="", help="why; kept in the history")
