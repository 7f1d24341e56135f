"""The commands about what was made and released: models, runs, releases, packages."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import command, late, named


def add(commands: Any) -> None:
    """Add this group."""
    _models(commands)
    _runs(commands)
    releases = command(
        commands,
        "releases",
        late("lineage", "releases"),
        "List every release: which version, from when until when, asked for and approved by whom.",
        """loopwright releases
           loopwright releases titanic --environment prod""",
    )
    releases.add_argument(
        "workload", nargs="?", type=named, help="only this workload's; its beginning is enough"
    )
    releases.add_argument("--environment", type=named, metavar="ENV", help="only in this environment")
    packages = command(
        commands,
        "packages",
        late("lineage", "packages"),
        "List the packages; with DIGEST one of them, with its files and its signature.",
        """loopwright packages titanic
           loopwright packages titanic 9ead2d4d
           loopwright packages titanic:17""",
    )
    packages.add_argument(
        "workload", nargs="?", type=named, help="only this workload's; its beginning is enough"
    )
    packages.add_argument(
        "digest",
        nargs="?",
        type=named,
        metavar="DIGEST",
        help="the package; the digest's beginning is enough",
    )


def _models(commands: Any) -> None:
    models = command(
        commands,
        "models",
        late("lineage", "models"),
        "List the model versions, where they serve and what they were made of; with VERSION one of them.",
        """loopwright models
           loopwright models titanic
           loopwright models titanic 17
           loopwright models titanic prod
           loopwright models titanic --newest-approved prod""",
    )
    models.add_argument(
        "workload", nargs="?", type=named, help="only this workload's; its beginning is enough"
    )
    models.add_argument(
        "version", nargs="?", type=named, metavar="VERSION", help="17, or an alias such as prod"
    )
    models.add_argument(
        "--newest-approved",
        nargs="?",
        const="",
        metavar="ENV",
        help="print only the version that was approved last for ENV (default: the last environment that asks for approval)",
    )


def _runs(commands: Any) -> None:
    runs = command(
        commands,
        "runs",
        late("lineage", "runs"),
        "List the training runs, show some of them, or compare them: what differs in parameters, metrics, data, commit and lock.",
        """loopwright runs
           loopwright runs titanic
           loopwright runs titanic d8d48cad
           loopwright runs compare d8d48cad 41f0e2aa
           loopwright runs compare titanic:3 titanic:4""",
    )
    runs.add_argument(
        "words",
        nargs="*",
        type=named,
        metavar="WORKLOAD|RUN",
        help="a workload, then runs (ids or their beginnings, or versions such as titanic:3); `compare` before them compares",
    )
