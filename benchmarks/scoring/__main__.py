"""How fast a replica answers, beside other Python model servers and beside a bare server in Rust that only echoes.

    make bench-scoring          or: python benchmarks/scoring [--short] [--only NAMES] [--json FILE]

Two models of the Titanic's passengers, a forest of 100 trees and a logistic regression, trained here; wrk with one thread
over 1, 32 and 256 connections; one process for each server; one thread in numerical libraries. Every peer runs in an
environment of its own, made by uv from a lock in `peers/`, and batches where it can. Everything a replica does in
production is on: checks of every row, metrics, every request observed.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import budgets
import load
import measuring
import models
import ours
import sides
import soak
from paced_sides import half_of_peak
from report import Budget, conclude

SIDES: Mapping[str, Callable[[models.Model], sides.Side]] = {
    "echo": sides.echo,
    "compiled": ours.compiled,
    "batched": ours.batched,
    "script": ours.script,
    "azureml": sides.azureml,
    "litserve": sides.litserve,
    "mlserver": sides.mlserver,
    "bentoml": sides.bentoml,
    "mlflow": sides.mlflow,
}
PACED, SOAK = "paced", "soak"
PARTS = (*SIDES, PACED, SOAK)
ROUNDS, SECONDS = 5, 5
SHORT_ROUNDS, SHORT_SECONDS, SHORT_SOAK = 1, 2, 100_000


def main() -> None:
    """Measure, report and exit: 0 where every budget is kept, 1 on a miss or where something is missing."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are ended too
    if why := load.missing():
        sys.exit(why)
    trained = models.trained()
    more: dict[str, Any] = {}
    found: list[Budget] = []
    makers = [make for name, make in SIDES.items() if name in arguments.only]
    if makers:
        rounds = []
        for model in trained.values():
            wanted = [make(model) for make in makers]
            rounds += measuring.rounds(wanted, arguments.rounds, arguments.seconds, arguments.first)
        found += budgets.speed(rounds)
        more["rounds"] = [one.as_json() for one in rounds]
        print("\n".join(["", *measuring.table(rounds), ""]))
    forest = trained[models.FOREST]
    if PACED in arguments.only:
        paced = half_of_peak(ours.compiled(forest), sides.echo(forest), arguments.rounds, arguments.seconds)
        found += budgets.pacing(paced)
        more["paced"] = [[one.__dict__ for one in each] for each in paced]
    if SOAK in arguments.only:
        soaked = soak.soak(ours.compiled(forest), SHORT_SOAK if arguments.short else soak.REQUESTS)
        found += budgets.soaking(soaked)
        more["soak"] = soaked.line
    if not found:
        print("No budget is about these alone: a ratio needs both of its sides.")
    conclude(found, arguments.json, more)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/scoring", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples to this file")
    parser.add_argument(
        "--only",
        type=_names,
        default=PARTS,
        metavar="NAMES",
        help=f"of {', '.join(PARTS)}; with commas between",
    )
    parser.add_argument(
        "--short", action="store_true", help="one round of short loads: to see that all runs, not to quote"
    )
    parser.add_argument(
        "--first", action="store_true", help="under load before all else on a shared machine; needs root"
    )
    parser.add_argument("--rounds", type=int, help=f"rounds over all sides ({ROUNDS})")
    parser.add_argument("--seconds", type=int, help=f"seconds of each load ({SECONDS})")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (SHORT_ROUNDS if arguments.short else ROUNDS)
    arguments.seconds = arguments.seconds or (SHORT_SECONDS if arguments.short else SECONDS)
    return arguments


def _names(text: str) -> Sequence[str]:
    names = text.split(",")
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"{name!r} is not among them: {', '.join(PARTS)}")
    return names


if __name__ == "__main__":
    main()
