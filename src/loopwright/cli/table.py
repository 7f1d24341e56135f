"""Text tables, times and long values for a terminal. Programs read --json, where nothing is shortened."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

_DIGEST = 12  # characters of a digest that tell it from others


def render(rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """Lines with aligned columns; the last column is as long as it likes."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        indent
        + "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]
        ).rstrip()
        for row in rows
    ]


def listing(headers: Sequence[str], rows: Iterable[Sequence[str]], width: int | None = None) -> list[str]:
    """Lines with a line of headers; cut to the width of the terminal, where one shows them."""
    lines = render([list(headers), *(list(map(_flat, row)) for row in rows)])
    most = terminal_width() if width is None else width
    return [cut(line, most) for line in lines]


def fields(pairs: Mapping[str, str], indent: str = "") -> list[str]:
    """Lines of `name  value`, without those that have no value; a value of several lines stays in its column."""
    given = {name: value for name, value in pairs.items() if value}
    wide = max(map(len, given), default=0)
    return [
        f"{indent}{name if first else '':<{wide}}  {line}".rstrip()
        for name, value in given.items()
        for first, line in ((n == 0, line) for n, line in enumerate(value.splitlines()))
    ]


def terminal_width() -> int | None:
    """Columns of the terminal that shows the output; None where a file or a program reads it."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def cut(text: str, most: int | None) -> str:
    """A line no longer than this, its end marked where it was cut."""
    return text if most is None or len(text) <= most else f"{text[: max(0, most - 1)]}…"


def short(digest: str | None) -> str:
    """So much of a digest as tells it from others; empty for None."""
    return (digest or "").removeprefix("sha256:")[:_DIGEST]


def person(author: str) -> str:
    """The name of `Name <mail>`."""
    return author.partition(" <")[0]


def local(moment: str | None) -> str:
    """An ISO time in this machine's zone, with its offset: `2026-03-01 14:05:09 +01:00`; empty for None."""
    if not moment:
        return ""
    return datetime.fromisoformat(moment).astimezone().isoformat(" ", "seconds").replace("+", " +")


def number(value: object) -> str:
    """A metric with four figures that count; other values as they are."""
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


def pairs(values: Mapping[str, object], most: int | None = None) -> str:
    """`accuracy=0.8305 f1=0.7404`, the first `most` of them."""
    given = list(values.items())
    shown = " ".join(f"{name}={number(value)}" for name, value in given[:most])
    return f"{shown} …" if most is not None and len(given) > most else shown


def size(count: int) -> str:
    """Bytes for people: `512 B`, `1.5 MiB`."""
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024 or unit == "GiB":
            break
    return f"{amount:.1f} {unit}"


def seconds(value: float | None) -> str:
    """A duration for people: `0.4s`, `12s`, `3m05s`, `2h10m`, `4d06h`; empty for None."""
    if value is None:
        return ""
    if value < 10:
        return f"{value:.1f}s"
    minutes, rest = divmod(round(value), 60)
    hours, days = minutes // 60, round(value) // 86400
    if days:
        return f"{days}d{hours % 24:02d}h" if hours % 24 else f"{days}d"
    if hours:
        return f"{hours}h{minutes % 60:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def _flat(cell: str) -> str:
    return cell.splitlines()[0] if cell else ""
