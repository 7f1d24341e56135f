"""`loopwright observations`: read by this process itself, from the segments in the state folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from loopwright.cli.table import listing, local, number, size
from loopwright.errors import UsageError
from loopwright.state import StateFolder

if TYPE_CHECKING:
    from loopwright.operations.observations import Wish

_SHOWN = 20
_SPREAD = ("name", "rows", "missing", "out_of_range", "low", "median", "high", "mean")


def observations(parsed: argparse.Namespace) -> int:
    """Show or write what matches."""
    _check(parsed)
    from loopwright.operations.observations import Wish, newest, write

    wish = Wish(
        since=parsed.since,
        until=parsed.until,
        revision=parsed.revision,
        role=parsed.role,
        id=parsed.id,
        labels=parsed.labels,
    )
    given = (StateFolder.resolve(parsed.home), parsed.workload, parsed.environment, wish)
    if parsed.out is not None:
        _show_written(parsed, write(*given, Path(parsed.out)))
    elif parsed.distributions:
        from loopwright.operations.distributions import distributions

        _show_distributions(parsed, distributions(*given))
    else:
        _show(parsed, newest(*given, parsed.limit or _SHOWN), wish)
    return 0


def _check(parsed: argparse.Namespace) -> None:
    """Options that do not go together are refused: who gives one believes that it matters."""
    if parsed.since is not None and parsed.until is not None and parsed.since > parsed.until:
        raise UsageError("--since is later than --until, so no observation can match. Exchange the two.")
    if parsed.distributions:
        wrong = [f"--{name}" for name in ("id", "labels", "out", "limit") if getattr(parsed, name)]
    else:
        wrong = ["--limit"] if parsed.out is not None and parsed.limit else []
    if wrong:
        what = "--distributions" if parsed.distributions else "--out"
        raise UsageError(
            f"{what} does not take {' and '.join(wrong)}. `loopwright observations --help` shows what there is."
        )


def _json(value: object) -> None:
    print(msgspec.json.encode(value).decode())


def _show_written(parsed: argparse.Namespace, made: dict[str, Any]) -> None:
    if parsed.json:
        _json(made)
        return
    print(
        f"Wrote {made['rows']} observations of {made['workload']} to {made['file']} ({size(made['size'])})."
    )
    _show_lost(made)


def _show(parsed: argparse.Namespace, found: dict[str, Any], wish: Wish) -> None:
    rows = found["observations"]
    if parsed.json:
        for row in rows:
            _json(row)
        return
    if not rows:
        print("No observation matches.")
    else:
        every = dict.fromkeys(name for row in rows for name in row)  # revisions may differ in their columns
        names = [name for name in every if name.startswith(("features.", "outputs.", "extra."))]
        names += ["label"] if wish.labels else []
        lines = [
            [
                local(row["time"]),
                row["environment"],
                row["id"],
                row["role"],
                str(row["status"]),
                f"{row['seconds'] * 1e3:.1f}",
            ]
            + [number(row.get(name)) for name in names]
            for row in rows
        ]
        titles = [name.partition(".")[2] or name for name in names]
        print("\n".join(listing(("TIME", "ENVIRONMENT", "ID", "ROLE", "STATUS", "MS", *titles), lines)))
    if found["more"]:
        print(f"These are the newest {len(rows)}; there may be more. --limit shows more, --out writes all.")
    _show_lost(found)


def _show_lost(found: dict[str, Any]) -> None:
    if found["lost"]:
        reasons = ", ".join(f"{count} ({reason})" for reason, count in sorted(found["lost"].items()))
        print(f"Dropped, so not among these: {reasons}. The replicas' logs say why.")
    for one in found["unread"]:
        print(
            f"Not read: the last {one['bytes']} bytes of {one['file']}. Its writer was killed while it wrote them, or "
            "the file was damaged."
        )


def _show_distributions(parsed: argparse.Namespace, found: dict[str, Any]) -> None:
    if parsed.json:
        _json(found)
        return
    if not found["columns"]:
        print("No distribution matches. A replica writes one every ten seconds in which it answers.")
        return
    print(f"{found['workload']}, {found['version'] or found['revision'][:12]}, {found['role']} requests:")
    titles = [
        *(name.replace("_", " ").upper() for name in ("column", *_SPREAD[1:])),
        "BASELINE MEAN",
        "WITHOUT A BIN",
    ]
    lines = [
        [*(number(one[name]) for name in _SPREAD), _trained(one["baseline"]), _texts(one["unbinned"])]
        for one in found["columns"]
    ]
    print("\n".join(listing(titles, lines)))


def _trained(baseline: dict[str, Any] | None) -> str:
    return number((baseline or {}).get("mean"))


def _texts(unbinned: list[dict[str, Any]]) -> str:
    return ", ".join(f"{one['value']} ({one['count']})" for one in unbinned)
