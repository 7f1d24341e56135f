"""Parquet: columns that bring their own types."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from numpy.typing import NDArray

from loopwright.datasets.raw import Raw, check_names
from loopwright.errors import StepFailed


def read(path: Path, shown: str) -> Raw:
    """Read all rows; raises StepFailed where the file is no Parquet, or a column holds more than one value a row."""
    try:
        table = pyarrow.parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise StepFailed(
            f"{shown}: the file is not Parquet that can be read: {_reason(error, path, shown)}. Write it again."
        ) from error
    check_names(table.column_names, shown, "")
    if not table.column_names:
        raise StepFailed(f"{shown}: the file has no columns.")
    columns = {name: _plain(name, table.column(name), shown) for name in table.column_names}
    return Raw(path=path, shown=shown, format="parquet", columns=columns)


def write_part(raw: Raw, target: Path, mask: NDArray[np.bool_]) -> None:
    """Write the chosen rows with the source's own schema and metadata."""
    table = pyarrow.parquet.read_table(raw.path)
    pyarrow.parquet.write_table(table.filter(pa.array(mask)), target)


def _plain(name: str, column: pa.ChunkedArray, shown: str) -> pa.Array:
    values = column.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise StepFailed(
            f"{shown}: column {name} holds {kind}, expected numbers, text, true/false, or times; flatten or drop it."
        )
    if pa.types.is_floating(kind):  # pandas writes missing numbers as NaN
        return pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
    return values


def _reason(error: Exception, path: Path, shown: str) -> str:
    return str(error).splitlines()[0].rstrip(".").replace(str(path), shown)
