"""What replicas recorded of a workload's requests: the newest of them, or all of them as a file.

Read where it lies, in the state folder, with and without a control plane.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from loopwright.errors import ConflictError, MachineError, NotFoundError, UsageError
from loopwright.observations import segments
from loopwright.observations.reading import Reader, Wish, labels_of
from loopwright.operations.naming import pick
from loopwright.operations.telling import utc
from loopwright.state import StateFolder

__all__ = ["Kept", "Wish", "find", "newest", "write"]


@dataclass(frozen=True)
class Kept:
    """Where the segments of a workload lie."""

    workload: str
    paths: list[Path]


def newest(
    state: StateFolder, workload: str, environment: str | None, wish: Wish, limit: int
) -> dict[str, Any]:
    """The newest that match, the oldest of them first; no more segments are read than that takes.

    Raises NotFoundError where none was ever recorded.
    """
    kept, wish = find(state, workload, environment, wish)
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
    kept, wish = find(state, workload, environment, wish)
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
            f"{file} cannot be written: {_reason(error)}. Name another folder, or make room."
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


def _reason(error: OSError) -> str:
    """PyArrow puts a whole sentence in the place of the reason."""
    return os.strerror(error.errno) if error.errno else str(error)


def _unread(reader: Reader) -> list[dict[str, Any]]:
    return [{"file": str(path), "bytes": count} for path, count in reader.unread.items()]


def find(state: StateFolder, workload: str, environment: str | None, wish: Wish) -> tuple[Kept, Wish]:
    """Where the segments lie, and the wish with the version where one was named: `titanic:17` names both."""
    if state.is_foreign():
        raise MachineError(
            f"{state.root} belongs to another user, and what it recorded is for its owner alone."
        )
    known = {path.name for path in state.observations.glob("*/*") if path.is_dir()}
    if not known:
        raise NotFoundError(
            f"{state.root} holds no observations: no replica has recorded a request yet. --home names another state folder."
        )
    given, colon, number = workload.partition(":")
    name = pick(given, sorted(known), "workload with observations")
    where = sorted(path.parent.name for path in state.observations.glob(f"*/{name}"))
    chosen = where if environment is None else [pick(environment, where, "environment with observations")]
    paths = [path for one in chosen for path in segments.found(state.observations / one / name)]
    return Kept(name, paths), replace(wish, version=f"{name}:{number}") if colon else wish


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
