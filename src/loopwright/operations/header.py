"""The names of a data file's columns, as far as its first line tells them."""

from __future__ import annotations

import csv
from pathlib import Path


def header(source: Path) -> list[str]:
    """The first line of a CSV file; empty for other formats, whose columns the data step looks at."""
    if source.suffix.lower() != ".csv":
        return []
    with source.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return next(csv.reader(file), [])
