"""What it costs to record requests: on their path, off it, and how long a piece of work keeps the interpreter to itself.

    python benchmarks/observations.py [--json FILE]

Seven columns as Titanic has them, a class and a probability, one row a request, counted into the bins of a baseline. Times
are the thread's own processor time, so that what else runs on the machine counts as little as can be.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from report import Budget, main

from loopwright.observations import bins
from loopwright.observations.blocks import Column
from loopwright.observations.keeping import Keeper
from loopwright.observations.recording import Record, Recorder, Subject, Terms

ROUNDS = 9
ROWS = 4096  # what gathers between two rounds at 16,000 requests a second
MANY = 300_000
COLUMNS = {
    "Pclass": "integer", "Sex": "string", "Age": "number", "SibSp": "integer", "Parch": "integer", "Fare": "number",
    "Embarked": "string",
}  # fmt: skip


class Silent:
    """A log that says nothing."""

    def info(self, action: str, /, **fields: object) -> None: ...
    def warning(self, action: str, /, **fields: object) -> None: ...


class Watched(Keeper):
    """Notes how long each piece of work between two pauses took; waiting for the disk is none."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.pieces: list[float] = []
        self._began = time.thread_time()

    def _pause(self) -> None:
        self.pieces.append(time.thread_time() - self._began)
        super()._pause()
        self._began = time.thread_time()

    def _write(self, content: list[bytes]) -> bool:
        kept = super()._write(content)
        self._began = time.thread_time()
        return kept


def row(chance: random.Random) -> tuple[Any, ...]:
    return (
        chance.randint(1, 3),
        chance.choice(["male", "female"]),
        chance.choice([None, *(chance.random() * 80 for _ in range(4))]),
        chance.randint(0, 5),
        chance.randint(0, 5),
        chance.random() * 500,
        chance.choice(["S", "C", "Q"]),
    )


def subject(folder: Path) -> Subject:
    """With a baseline of a thousand rows."""
    chance = random.Random(1)
    values = dict(zip(COLUMNS, zip(*(row(chance) for _ in range(1000)), strict=True), strict=True))
    kinds: dict[str, bins.Kind] = {
        name: "categories" if kind == "string" else "numbers" for name, kind in COLUMNS.items()
    }
    baseline = bins.make(values | {"Survived": [0, 1] * 500}, kinds | {"Survived": "categories"}, "Survived")
    (folder / "baseline.json").write_bytes(bins.encode(baseline))
    return Subject(
        workload="titanic",
        environment="prod",
        revision="r",
        columns=tuple(Column(name, kind) for name, kind in COLUMNS.items()),
        outputs=("prediction", "probability"),
        baseline=folder / "baseline.json",
    )


def requests(count: int) -> list[Record]:
    chance = random.Random(2)
    return [
        (
            f"4f1d2a90c3e1-{number:x}",
            None,
            "live",
            1.8e9,
            0.001,
            200,
            [row(chance)],
            [[1], [0.93]],
            None,
            0,
            1,
        )
        for number in range(count)
    ]


def calls(about: Subject, folder: Path) -> float:
    """Microseconds of a call of `record`."""
    recorder = Recorder(about, Terms(folder=folder), Silent())
    rows, answers = [(1, "male", 22.0, 1, 0, 7.25, "S")], [[1], [0.93]]
    began = time.thread_time()
    for _ in range(20_000):
        recorder.record("4f1d2a90c3e1-1", None, "live", 1.8e9, 0.001, 200, rows, answers)
    return (time.thread_time() - began) / 20_000 * 1e6


def measure() -> list[Budget]:
    """All budgets."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        about = subject(folder)
        keeper = Watched(
            about, Terms(folder=folder / "segments", segment_bytes=2**22, max_bytes=2**24), "w", Silent()
        )
        records, samples, pieces = requests(ROWS), [], []
        for number in range(1 + ROUNDS):
            keeper.pieces.clear()
            began = time.thread_time()
            keeper.keep(records, [], time.monotonic(), False)
            if number:
                samples.append((time.thread_time() - began) / ROWS * 1e6)
                pieces.append(max(keeper.pieces) * 1e3)
        before = psutil.Process().memory_info().rss
        for _ in range(MANY // ROWS):
            keeper.keep(records, [], time.monotonic(), False)
        growth = (psutil.Process().memory_info().rss - before) / 2**20
        on_path = [calls(about, folder) for _ in range(ROUNDS)]
    return [
        Budget("record(), on the request's path", on_path, 1.0, "us a call"),
        Budget("encode, write and count, off it", samples, 3.0, "us a row"),
        Budget("longest piece of work of a round", pieces, 2.0, "ms"),
        Budget(f"memory that {MANY:,} rows more take", [growth], 4.0, "MiB"),
    ]


if __name__ == "__main__":
    main(measure)
