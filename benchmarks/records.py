"""How long a question about the record takes where 200,000 facts are recorded and nothing runs, as whole processes.

    python benchmarks/records.py [--json FILE]

The ledger is what the loop would have written: a change every two hours or so for more than a year, each with its run,
version, approval and releases. The installed command is run as a user's shell would run it; reading the whole record,
which `history verify` does, is measured beside it.
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
sys.path.insert(0, str(ROOT / "tests" / "support"))

from story import HOUR, Story, write_many  # noqa: E402

from loopwright.state import StateFolder  # noqa: E402

COMMAND = str(Path(sys.executable).with_name("loopwright"))
FACTS = 200_000
ROUNDS = 5
VERIFY = "history verify"
QUESTIONS = (
    "history",
    "history --actor bob --since 2026-06-01 --until 2026-06-02",
    "history --kind release.* --limit 100",
    "history --object titanic:4000",
    "history --at 2026-06-01T12:00",
    "models titanic --newest-approved",
)


def write(home: Path) -> None:
    """The record of a busy year."""
    story = Story()
    while len(story.facts) < FACTS:
        story.release(rows=1300 + story.number % 400, commit=f"{story.number:040x}", approve=("bob", "seen"))
        story.now += HOUR
    write_many(StateFolder(home), iter(story.facts))


def asked(question: str, home: str) -> Callable[[], float]:
    """A side: seconds of a whole process, which must end well."""
    run = partial(
        subprocess.run,
        [COMMAND, *question.split()],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"LOOPWRIGHT_HOME": home},
    )
    return partial(seconds, run)


def measure() -> list[Budget]:
    """A budget for each question."""
    with tempfile.TemporaryDirectory() as home:
        write(Path(home))
        found = alternate({question: asked(question, home) for question in (*QUESTIONS, VERIFY)}, ROUNDS)
    whole = {VERIFY: found[VERIFY]}
    return [Budget(question, found[question], 1.0, "s", compared=whole) for question in QUESTIONS]


if __name__ == "__main__":
    main(measure)
