"""Reading a source file by its kind, and writing some of its rows to another file of the same kind."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from loopwright.datasets import csv_file, parquet_file
from loopwright.datasets.raw import Format, Raw
from loopwright.errors import StepFailed

_FORMATS: Mapping[str, Format] = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}


def read(path: Path, shown: str) -> Raw:
    """Read a file; `shown` is its name for people and decides its format. Raises StepFailed, naming the line where it can."""
    kind = _FORMATS.get(PurePath(shown).suffix.lower())
    if kind is None:
        raise StepFailed(
            f"{shown}: expected a file that ends in {', '.join(_FORMATS)}; save the data as CSV or Parquet."
        )
    try:
        empty = path.stat().st_size == 0
    except OSError as error:
        raise StepFailed(
            f"{shown}: the file cannot be read ({error.strerror}); put it there, or correct `source`."
        ) from error
    if empty:
        raise StepFailed(f"{shown}: the file is empty, expected a line of column names and rows below it.")
    raw = csv_file.read(path, shown) if kind == "csv" else parquet_file.read(path, shown)
    if raw.rows == 0:
        raise StepFailed(f"{shown}: the file has column names ({', '.join(raw.columns)}) but no rows.")
    return raw


def write_parts(raw: Raw, parts: Mapping[Path, NDArray[np.bool_]]) -> None:
    """Write, for each file, the rows where its mask is true, in their order and with their values untouched."""
    writer = csv_file.write_part if raw.format == "csv" else parquet_file.write_part
    for target, mask in parts.items():
        writer(raw, target, mask)


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex, whatever its size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
