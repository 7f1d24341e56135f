"""How every benchmark measures and reports: alternating rounds, medians with their spread, one line for each budget.

A benchmark is a script that ends with `main(measure)`, where `measure()` returns its budgets. It prints `PASS name
measured budget` or `MISS name measured budget` for each, writes all samples to a file with `--json FILE`, and exits
with status 1 on a miss.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Budget:
    """What was measured, round by round, and what it may be: at most `budget`, or at least where `at_least` says so."""

    name: str
    samples: Sequence[float]
    budget: float
    unit: str = ""
    at_least: bool = False
    compared: Mapping[str, Sequence[float]] = field(default_factory=dict)  # other sides of the same rounds

    def __post_init__(self) -> None:
        if not self.samples:
            raise ValueError(f"{self.name}: nothing was measured, so nothing can pass")

    @property
    def measured(self) -> float:
        """The median."""
        return statistics.median(self.samples)

    @property
    def passed(self) -> bool:
        return self.measured >= self.budget if self.at_least else self.measured <= self.budget

    def line(self) -> str:
        """The one line: verdict, name, median with least and greatest, and the budget."""
        sign = ">=" if self.at_least else "<="
        spread = f"({min(self.samples):.4g} to {max(self.samples):.4g}, {len(self.samples)} rounds)"
        verdict = "PASS" if self.passed else "MISS"
        measured, budget = _quantity(self.measured, self.unit), _quantity(self.budget, self.unit)
        ratios = "".join(f", {self._ratio(name):.2f} x {name}" for name in self.compared)
        return f"{verdict} {self.name}: {measured} {spread}{ratios}; budget {sign} {budget}"

    def _ratio(self, name: str) -> float:
        return self.measured / statistics.median(self.compared[name])

    def as_json(self) -> dict[str, Any]:
        """Everything, samples included."""
        return {
            "name": self.name,
            "passed": self.passed,
            "measured": self.measured,
            "budget": self.budget,
            "at_least": self.at_least,
            "unit": self.unit,
            "samples": list(self.samples),
            "compared": {name: list(samples) for name, samples in self.compared.items()},
        }


def _quantity(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip()


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def alternate(
    sides: Mapping[str, Callable[[], float]], rounds: int, warm_up: int = 1
) -> dict[str, list[float]]:
    """Measure all sides in turn, round after round, so that what disturbs the machine disturbs all alike.

    A side is a call that returns its measurement. Odd rounds go through the sides backwards; warm-up rounds are dropped.
    """
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(warm_up + rounds):
        for name in list(sides) if number % 2 == 0 else reversed(list(sides)):
            value = sides[name]()
            if number >= warm_up:
                found[name].append(value)
    return found


def main(measure: Callable[[], Sequence[Budget]]) -> None:
    """Measure, report and exit: 0 where every budget is kept, 1 on a miss."""
    described = (sys.modules["__main__"].__doc__ or "").strip().partition("\n")[0]
    parser = argparse.ArgumentParser(description=described)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples to this file")
    arguments = parser.parse_args()
    budgets = measure()
    conclude(budgets, arguments.json, passed=bool(budgets))


def conclude(
    budgets: Sequence[Budget],
    file: Path | None,
    more: Mapping[str, Any] | None = None,
    passed: bool = True,
) -> None:
    """Report and exit, with 1 on a miss or where it is said that this has not passed; `more` goes into the file too."""
    passed = passed and all(budget.passed for budget in budgets)
    if file:
        machine = {"python": platform.python_version(), "machine": platform.platform()}
        content = {"passed": passed, **machine, "budgets": [budget.as_json() for budget in budgets]}
        file.write_text(json.dumps(content | dict(more or {}), indent=2) + "\n")
    for budget in budgets:
        print(budget.line())
    sys.exit(0 if passed else 1)
