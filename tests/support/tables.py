"""Tables as people have them, made by a fixed seed: what `loopwright init` must cope with."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = dict[str, Any]

GOOD = ("quick delivery and a kind driver", "fine product, works as it should", "good value, would buy again")
BAD = ("came late and was broken", "broken after a day, no answer from them", "late, and the box was open")


def customers(rows: int = 240) -> list[Row]:
    """Three text classes from numbers, categories, dates, free text, with gaps; and columns of no use."""
    chance = random.Random(7)
    table = []
    for number in range(rows):
        happy, spent = chance.random(), round(chance.uniform(5, 500), 2)
        plan = 'gold, "old"' if happy > 0.66 else "basic: no" if happy > 0.33 else "none#1"
        table.append(
            {
                "customer_id": f"C-{number:05d}",
                "row": number + 1,
                "country": "CH",
                "spent {CHF}": "NA" if chance.random() < 0.05 else spent,
                "Größe: cm": "" if chance.random() < 0.1 else round(150 + 40 * happy + chance.gauss(0, 3)),
                "zip": f"{chance.choice([1, 8, 80]):04d}",
                "joined": f"20{chance.randint(10, 25)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
                "born": f"{chance.randint(1, 28)}/{chance.randint(1, 12)}/19{chance.randint(50, 99)}",
                "vip": str(happy > 0.5),
                "remark": ""
                if chance.random() < 0.1
                else f"{chance.choice(GOOD if happy > 0.5 else BAD)} {number}",
                "class": plan,
            }
        )
    return table


def houses(rows: int = 200) -> list[Row]:
    """A price with decimals, from sizes and districts, with gaps."""
    chance = random.Random(11)
    table = []
    for _ in range(rows):
        size, district = chance.randint(30, 200), chance.choice("ABC")
        price = 2000 * size + {"A": 0, "B": 60_000, "C": 150_000}[district] + chance.gauss(0, 20_000)
        table.append(
            {
                "size": size if chance.random() > 0.05 else "",
                "district": district,
                "garden": chance.random() > 0.5,
                "price": round(price, 2),
            }
        )
    return table


def write(path: Path, rows: list[Row]) -> Path:
    """The rows as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def change(rows: list[Row], edit: Callable[[int, Row], Row]) -> list[Row]:
    """A copy with each row edited."""
    return [edit(number, dict(row)) for number, row in enumerate(rows)]
