"""The command that runs a training on several nodes of this machine; `launcher` is what it starts."""

from __future__ import annotations

import sys
from pathlib import Path


def on_nodes(command: tuple[str, ...], nodes: int, gpus: int, run: str, logs: Path) -> tuple[str, ...]:
    """Run a command so many times as one job, in our own interpreter; `gpus` are for each node."""
    launcher = (
        sys.executable,
        "-P",
        "-m",
        "loopwright.training.launcher",
    )  # -P: no module of the user's folder comes before ours
    options = ("--nodes", str(nodes), "--gpus", str(gpus), "--run", run, "--logs", str(logs))
    return (*launcher, *options, "--", *command)
