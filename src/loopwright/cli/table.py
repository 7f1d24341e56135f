"""Text tables and times for a terminal."""

from __future__ import annotations

from collections.abc import Sequence


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


def seconds(value: float | None) -> str:
    """A duration for people: `0.4s`, `12s`, `3m05s`; empty for None."""
    if value is None:
        return ""
    if value < 10:
        return f"{value:.1f}s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
