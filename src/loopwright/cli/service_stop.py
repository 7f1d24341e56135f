"""What systemd runs when the unit's control plane has ended or is to end: `python -m loopwright.cli.service_stop`.

systemd runs it for a stop, a restart, a crash and the end of the machine alike. Only a stop, which is also how a machine
goes down, ends what serves; in order, as `loopwright down` does. After all else the control plane comes again.
"""

from __future__ import annotations

import argparse
import sys

from loopwright.cli.lifecycle import bring_down
from loopwright.errors import LoopwrightError
from loopwright.operations.service import Unit
from loopwright.state import StateFolder


def main() -> None:
    """End everything where systemd's present job for the unit is to stop it."""
    parser = argparse.ArgumentParser(
        prog="python -m loopwright.cli.service_stop", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--home", required=True)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--system", action="store_true")
    parsed = parser.parse_args()
    state = StateFolder.resolve(parsed.home)
    try:
        listed = Unit(state, parsed.system).systemctl("list-jobs", "--no-legend", "--no-pager", parsed.unit)
        if is_stop(listed.stdout, parsed.unit):
            bring_down(state)
    except LoopwrightError as error:
        sys.exit(f"loopwright: {error.message}")


def is_stop(jobs: str, unit: str) -> bool:
    """Whether systemd's list of jobs (number, unit, type, state) has one that stops this unit for good."""
    lines = [line.split() for line in jobs.splitlines()]
    return any(words[1:3] == [unit, "stop"] for words in lines)


if __name__ == "__main__":
    main()
