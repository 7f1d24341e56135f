"""Do the schema files that a spec names hold what a schema may, and do they fit the data's first line?

Told by `validate`, `plan` and `up` with file and line, before anything runs; the data step then looks at the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from loopwright.errors import Problem, SpecError
from loopwright.operations.header import header
from loopwright.spec import Positions, Workload, parse_with_positions

if TYPE_CHECKING:
    from loopwright.datasets.schema import Schema


def schema_problems(spec: Workload, folder: Path) -> list[Problem]:
    """All that is wrong with the schema files, each problem with the place in its file."""
    found: list[Problem] = []
    for data in spec.data.values():
        if data.data_schema is not None:
            found += _problems(folder / data.data_schema, folder / data.source, data.label)
    return found


def _problems(file: Path, source: Path, label: str) -> list[Problem]:
    from loopwright.datasets.schema import Schema  # only where one is named: its models take a while

    try:
        schema, positions = parse_with_positions(Schema, file, str(file))
    except SpecError as error:
        return list(error.problems)
    return list(_misfits(schema, positions, header(source), source.name, label))


def _misfits(
    schema: Schema, positions: Positions, columns: Sequence[str], source: str, label: str
) -> Iterator[Problem]:
    """`columns` is the data's first line; empty where that cannot be told without reading the data."""
    if label not in schema.columns:
        yield positions.problem(
            "columns",
            f"no column `{label}`",
            "one, since it is the label",
            "Declare it under `columns`.",
            on_key=True,
        )
    if not columns:
        return
    for name in schema.columns:
        if name not in columns:
            near = get_close_matches(name, columns, 1)
            hint = f"Did you mean `{near[0]}`?" if near else "Correct the name, or leave it out."
            expected = f"a column of {source}: {', '.join(columns)}"
            yield positions.problem(f"columns.{name}", f"`{name}`", expected, hint, on_key=True)
    for name in columns:
        if schema.unexpected_columns == "refuse" and name not in schema.columns and name != label:
            yield positions.problem(
                "columns",
                f"no column `{name}`, which {source} has",
                "each column of the data",
                "Declare it, or set `unexpected_columns: ignore`.",
                on_key=True,
            )
