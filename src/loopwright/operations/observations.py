"""What replicas recorded of a workload's requests: the newest of them, all of them as a file, how their values spread.

Read where it lies, in the state folder, with and without a control plane.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from loopwright.errors import ConflictError, MachineError, NotFoundError, UsageError
from loopwright.observations import bins, recovery, segments
from loopwright.observations.blocks import Header, Pane, Summary
from loopwright.observations.panes import Distribution
from loopwright.observations.reading import Reader, Wish, labels_of
from loopwright.observations.tallies import counts_of, frequent, moments_of, quantiles
from loopwright.operations.naming import pick
from loopwright.operations.telling import utc
from loopwright.state import StateFolder

__all__ = ["Wish", "distributions", "newest", "write"]

_NAMED = 5  # unseen categories that are told


@dataclass(frozen=True)
class _Kept:
    """Where the segments of a workload lie."""

    workload: str
    paths: list[Path]


def newest(
    state: StateFolder, workload: str, environment: str | None, wish: Wish, limit: int
) -> dict[str, Any]:
    """The newest that match, the oldest of them first; no more segments are read than that takes.

    Raises NotFoundError where none was ever recorded.
    """
    kept = _find(state, workload, environment)
    labels = labels_of(kept.paths) if wish.labels else None
    rows: list[dict[str, Any]] = []
    lost: Counter[str] = Counter()
    unread: list[dict[str, Any]] = []
    more = False
    for touched, path in _newest_first(kept.paths):
        if more := len(rows) >= limit and rows[0]["time"].timestamp() > touched:
            break
        reader = Reader([path], wish, labels)
        rows = sorted(rows + _last(reader, limit + 1), key=_order)
        lost.update(reader.losses)
        unread += _unread(reader)
        more, rows = len(rows) > limit, rows[-limit:]
    return {
        "workload": kept.workload,
        "observations": [_told(row) for row in rows],
        "more": more,
        "lost": dict(lost),
        "unread": unread,
    }


def _newest_first(paths: list[Path]) -> list[tuple[float, Path]]:
    found = []
    for path in paths:
        with suppress(FileNotFoundError):  # it has aged out just now
            found.append((path.stat().st_mtime, path))
    return sorted(found, reverse=True)


def _last(reader: Reader, count: int) -> list[dict[str, Any]]:
    table = reader.table()
    rows: list[dict[str, Any]] = table.slice(max(0, table.num_rows - count)).to_pylist()
    return rows


def _order(row: dict[str, Any]) -> tuple[datetime, str, int]:
    return row["time"], row["id"], row["row"]


def write(
    state: StateFolder, workload: str, environment: str | None, wish: Wish, file: Path
) -> dict[str, Any]:
    """All that match, to a new file: Parquet, CSV or Arrow by its ending, segment by segment.

    Raises NotFoundError where none was ever recorded, UsageError for another ending, ConflictError where the file is there,
    MachineError where it cannot be written.
    """
    opened = _FORMATS.get(file.suffix)
    if opened is None:
        raise UsageError(f"--out: found {file.name!r}, expected a name that ends in {', '.join(_FORMATS)}.")
    if file.exists():
        raise ConflictError(f"{file} is there already. Name another file, or remove it.")
    kept = _find(state, workload, environment)
    reader = Reader(kept.paths, wish)
    rows = 0
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}.partial")
    try:
        with opened(beside, reader.schema) as writer:
            for table in reader.tables():
                writer.write_table(table)
                rows += table.num_rows
        beside.rename(file)
    except OSError as error:
        raise MachineError(
            f"{file} cannot be written: {error.strerror or error}. Name another folder, or make room."
        ) from error
    finally:
        beside.unlink(missing_ok=True)
    return {
        "workload": kept.workload,
        "file": str(file),
        "rows": rows,
        "size": file.stat().st_size,
        "lost": reader.losses,
        "unread": _unread(reader),
    }


def distributions(state: StateFolder, workload: str, environment: str | None, wish: Wish) -> dict[str, Any]:
    """How the values of each column spread, beside the baseline; of the revision that answered last, or of `wish.revision`."""
    kept = _find(state, workload, environment)
    found: dict[tuple[str, str], tuple[Header, Distribution]] = {}
    last = ("", "")
    newest_pane = float("-inf")
    for header, pane in recovery.panes(kept.paths):
        if not _wanted(header, pane, wish):
            continue
        key = (header.revision, pane.baseline)
        _, total = found.setdefault(key, (header, Distribution(pane.baseline)))
        total.add(pane)
        if pane.ended > newest_pane:
            last, newest_pane = key, pane.ended
    if not found:
        return {"workload": kept.workload, "columns": []}
    header, total = found[last]
    role = wish.role or "live"
    baseline = bins.decode(header.bins) if header.bins else None
    known = dict(baseline.features) | {"prediction": baseline.outcome} if baseline else {}
    columns = [
        *(_spread("feature", name, one, known.get(name)) for name, one in total.features(role).items()),
        *(_spread("output", name, one, known.get(name)) for name, one in total.outputs(role).items()),
    ]
    return {
        "workload": kept.workload,
        "revision": header.revision,
        "version": header.version,
        "role": role,
        "columns": columns,
    }


def _wanted(header: Header, pane: Pane, wish: Wish) -> bool:
    return (
        (wish.revision is None or header.revision.startswith(wish.revision))
        and (wish.since is None or pane.ended >= wish.since)
        and (wish.until is None or pane.began <= wish.until)
    )  # fmt: skip


def _spread(kind: str, name: str, summary: Summary, into: bins.Bins | None) -> dict[str, Any]:
    counts = counts_of(summary)
    median = quantiles(summary, [0.5])
    return {
        "name": name,
        "kind": kind,
        "rows": counts.rows,
        "missing": counts.missing,
        "out_of_range": counts.out_of_range if into is not None else None,
        "other": counts.other,
        "low": summary.low,
        "high": summary.high,
        "mean": summary.mean if summary.count else None,
        "deviation": moments_of(summary).deviation,
        "median": median[0] if median else None,
        "unbinned": [{"value": text, "count": count} for text, count in frequent(summary)[:_NAMED]],
        "bins": _bins(summary, into),
        "baseline": _trained(into),
    }


def _trained(into: bins.Bins | None) -> dict[str, Any] | None:
    """What the training rows were; None where no baseline has the column."""
    if into is None:
        return None
    known = {"rows": into.counts.rows, "missing": into.counts.missing}
    if isinstance(into, bins.Categories) or into.moments is None:
        return known
    median = into.percentiles[50] if into.percentiles else None
    of = into.moments
    return known | {
        "low": of.low,
        "high": of.high,
        "mean": of.mean,
        "deviation": of.deviation,
        "median": median,
    }


def _bins(summary: Summary, into: bins.Bins | None) -> list[dict[str, Any]]:
    if into is None:
        return []
    names = into.edges if isinstance(into, bins.Numbers) else into.names
    return [
        {"bin": name, "count": count, "baseline": before}
        for name, count, before in zip(names, summary.bins, into.counts.bins, strict=True)
    ]


def _unread(reader: Reader) -> list[dict[str, Any]]:
    return [{"file": str(path), "bytes": count} for path, count in reader.unread.items()]


def _find(state: StateFolder, workload: str, environment: str | None) -> _Kept:
    if state.is_foreign():
        raise MachineError(
            f"{state.root} belongs to another user, and what it recorded is for its owner alone."
        )
    known = {path.name for path in state.observations.glob("*/*") if path.is_dir()}
    if not known:
        raise NotFoundError(
            f"{state.root} holds no observations: no replica has recorded a request yet. --home names another state folder."
        )
    name = pick(workload, sorted(known), "workload with observations")
    where = sorted(path.parent.name for path in state.observations.glob(f"*/{name}"))
    chosen = where if environment is None else [pick(environment, where, "environment with observations")]
    return _Kept(name, [path for one in chosen for path in segments.found(state.observations / one / name)])


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: utc(value.timestamp()) if isinstance(value, datetime) else value for name, value in row.items()
    }


@contextmanager
def _csv(file: Path, schema: pa.Schema) -> Iterator[Any]:
    from pyarrow import csv

    with csv.CSVWriter(str(file), schema) as writer:
        yield writer


@contextmanager
def _parquet(file: Path, schema: pa.Schema) -> Iterator[Any]:
    from pyarrow import parquet

    with parquet.ParquetWriter(str(file), schema, compression="zstd") as writer:
        yield writer


@contextmanager
def _arrow(file: Path, schema: pa.Schema) -> Iterator[Any]:
    with pa.OSFile(str(file), "wb") as out, pa.ipc.new_file(out, schema) as writer:
        yield writer


_FORMATS: dict[str, Callable[[Path, pa.Schema], Any]] = {".parquet": _parquet, ".csv": _csv, ".arrow": _arrow}
