"""How long the command line takes to start: `loopwright --version` and `loopwright validate`, as whole processes.

    python benchmarks/cli_start.py [--json FILE]

The installed command runs as a user's shell would run it, in turn with a bare `python -c pass`, whose time no command
written in Python can be below.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from report import Budget, alternate, main, seconds

ROOT = Path(__file__).parents[1]
COMMAND = str(Path(sys.executable).with_name("loopwright"))  # the console script of this environment
ROUNDS = 15
BARE = "bare python"


def timed(*words: str, home: str) -> Callable[[], float]:
    """A side: seconds of a whole process, which must end well."""
    run = partial(
        subprocess.run,
        words,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"LOOPWRIGHT_HOME": home},
    )
    return partial(seconds, run)


def measure() -> list[Budget]:
    """The two budgets of the command line."""
    with tempfile.TemporaryDirectory() as home:
        sides = {
            BARE: timed(sys.executable, "-c", "pass", home=home),
            "--version": timed(COMMAND, "--version", home=home),
            "validate": timed(COMMAND, "validate", str(ROOT / "examples" / "titanic"), home=home),
        }
        found = alternate(sides, ROUNDS)
    bare = {BARE: found[BARE]}
    return [
        Budget("loopwright --version", found["--version"], 0.1, "s", compared=bare),
        Budget("loopwright validate", found["validate"], 0.3, "s", compared=bare),
    ]


if __name__ == "__main__":
    main(measure)
