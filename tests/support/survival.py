"""The small workload of tests/data/survival: a whole `up` of it takes seconds."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from driving import Cli
from waiting import until

WORKLOAD = Path(__file__).parents[1] / "data" / "survival"
ANSWER = {"prediction": 0, "probability": 0.1721}  # to its package's example


def copy_workload(folder: Path) -> Path:
    """A copy of its own, as a git repository."""
    shutil.copytree(WORKLOAD, folder)
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-qm", "start"],
    ):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    return folder


def change(cli: Cli) -> dict[str, Any]:
    """The newest change, as `status` tells it; empty while no control plane answers."""
    done = cli.here.run("status", "--json")
    if done.returncode:
        return {}
    workloads = json.loads(done.stdout)["workloads"]
    shown = workloads[0]["change"] if workloads else {}
    return shown if isinstance(shown, dict) else {}


def ended(cli: Cli) -> dict[str, Any]:
    """The change once it has ended and all of it serves."""

    def look() -> dict[str, Any]:
        found = change(cli)
        return found if found.get("state") in ("succeeded", "failed") else {}

    found: dict[str, Any] = until(look)
    return found
