"""CSV: comma-separated UTF-8 text with a header, as RFC 4180 has it.

Every value is read as text and an empty field as missing, so that nothing is coerced before a schema says what it is:
`007` stays `007`, `NA` stays `NA`. PyArrow reads, fast; only where it stumbles does the standard library's slower
reader walk the file again, to name the line.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from itertools import chain, compress, repeat
from pathlib import Path
from typing import TextIO

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from loopwright.datasets.raw import Raw, check_names, counted
from loopwright.errors import StepFailed

_BLOCK = 16 * 1024 * 1024  # bytes read at once; no row may be longer
_MOST_NAMED = 5  # bad lines that a message names


def read(path: Path, shown: str) -> Raw:
    """Read all rows as text; raises StepFailed naming the line that is not CSV."""
    lines = _count_lines(path, shown)
    names = _header(path, shown)
    try:
        table = pyarrow.csv.read_csv(
            path,
            pyarrow.csv.ReadOptions(block_size=_BLOCK),
            pyarrow.csv.ParseOptions(newlines_in_values=True),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
        columns = {name: table.column(name).combine_chunks() for name in names}
    except (pa.ArrowInvalid, KeyError) as error:
        if _starts(path, shown, names).size:
            raise StepFailed(f"{shown}: the file is not CSV that can be read: {error}.") from error
        return Raw(
            path=path,
            shown=shown,
            format="csv",
            columns={name: pa.array([], pa.large_string()) for name in names},
        )
    plain = lines == table.num_rows + 1  # no value spans lines and none is blank
    starts = np.arange(2, lines + 1) if plain else _starts(path, shown, names)
    if starts.size != table.num_rows:
        raise StepFailed(
            f"{shown}: the quotes in the file can be read in two ways ({starts.size} or {table.num_rows} rows)."
        )
    return Raw(path=path, shown=shown, format="csv", columns=columns, starts=starts)


def write_part(raw: Raw, target: Path, mask: NDArray[np.bool_]) -> None:
    """Copy the header and the lines of the chosen rows, as they are."""
    if raw.starts is None:
        raise ValueError("only rows of a CSV file stand on lines")
    lengths = np.diff(raw.starts, append=raw.starts[-1] + 1)
    wanted = chain(
        repeat(True, int(raw.starts[0]) - 1), np.repeat(mask, lengths).tolist(), repeat(bool(mask[-1]))
    )
    with _open(raw.path) as source, target.open("w", encoding="utf-8", newline="") as file:
        file.writelines(compress(source, wanted))


def _open(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", newline="")


def _count_lines(path: Path, shown: str) -> int:
    """How many lines end in a line feed, or in the end of the file; refuses what is not UTF-8 text."""
    number = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                raise StepFailed(
                    f"{shown}:{number}: byte 0x{line[error.start]:02x} is not UTF-8 text; save the file as CSV in UTF-8."
                ) from error
            if b"\0" in line:
                raise StepFailed(
                    f"{shown}:{number}: a zero byte, which no text holds; save the file as CSV in UTF-8."
                )
    return number


def _header(path: Path, shown: str) -> list[str]:
    line, names = next(_records(path, shown), (1, []))
    if not names:
        raise StepFailed(
            f"{shown}: the file holds no text, expected a line of column names and rows below it."
        )
    for mark, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and mark in names[0]:
            raise StepFailed(
                f"{shown}:{line}: the columns are separated by {called}, expected commas; save the file with commas."
            )
    check_names(names, shown, f":{line}")
    return names


def _records(path: Path, shown: str) -> Iterator[tuple[int, list[str]]]:
    """Each record, the header too, with the line that it begins on; blank lines are none."""
    csv.field_size_limit(sys.maxsize)
    begins = 1
    with _open(path) as file:
        reader = csv.reader(file, strict=True)
        try:
            for fields in reader:
                if fields:
                    yield begins, fields
                begins = reader.line_num + 1
        except csv.Error as error:
            reason = "a quote is opened and never closed" if "end of data" in str(error) else str(error)
            raise StepFailed(
                f"{shown}:{begins}: {reason}; write a quote inside a quoted value twice."
            ) from error


def _starts(path: Path, shown: str, names: Sequence[str]) -> NDArray[np.int64]:
    """The line that each row begins on; raises StepFailed where rows have more or fewer values than the header."""
    starts: list[int] = []
    ragged: list[tuple[int, int]] = []
    for line, fields in _records(path, shown):
        starts.append(line)
        if len(fields) != len(names):
            ragged.append((line, len(fields)))
    if ragged:
        raise StepFailed(_ragged(shown, names, ragged))
    return np.array(starts[1:], dtype=np.int64)


def _ragged(shown: str, names: Sequence[str], ragged: Sequence[tuple[int, int]]) -> str:
    line, found = ragged[0]
    more = ""
    if len(ragged) > 1:
        others = ", ".join(str(line) for line, _ in ragged[1:_MOST_NAMED])
        more = f" The same is wrong in {counted(len(ragged) - 1, 'more line')}: {others}{', ...' if len(ragged) > _MOST_NAMED else ''}."
    return (
        f"{shown}:{line}: found {counted(found, 'value')}, expected {len(names)} as the header has ({', '.join(names)}).{more} "
        "Correct the lines; a value that holds a comma must be in quotes."
    )
