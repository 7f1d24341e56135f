"""Whether data is what its schema file says; without one, whether it is what most of its own values say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from loopwright.datasets.checks import frame_schema
from loopwright.datasets.columns import Column, convert, guess
from loopwright.datasets.findings import Findings, listed
from loopwright.datasets.raw import Raw
from loopwright.datasets.schema import ColumnRule, Schema
from loopwright.errors import StepFailed


@dataclass(frozen=True)
class Verdict:
    """Columns brought to their types, what is wrong with them, and what is only worth a look."""

    columns: Mapping[str, Column]
    failures: tuple[str, ...]
    warnings: tuple[str, ...] = field(default=())
    places: tuple[str, ...] = ()  # for each failure, the dotted path of the rule in the schema file


def require_label(raw: Raw, label: str) -> None:
    """Refuse a file that lacks the column to predict."""
    if label not in raw.columns:
        raise StepFailed(
            f"{raw.shown}: there is no column {label!r}, which `label` names; the columns are {listed(raw.columns)}."
        )


def validate(raw: Raw, schema: Schema, label: str, repeated: NDArray[np.bool_]) -> Verdict:
    """Check all rows against a schema; `repeated` says of each row whether it repeats an earlier one."""
    columns = {
        name: convert(raw.columns[name], rule.type, rule.missing_values)
        for name, rule in schema.columns.items()
        if name in raw.columns
    }
    findings = Findings(raw, schema, columns, repeated)
    unreadable = [
        (findings.unreadable(name), f"columns.{name}.type")
        for name, column in columns.items()
        if column.unreadable.any()
    ]
    failures = (*unreadable, *_failures(raw, schema, label, columns, repeated, findings))
    silent = schema.duplicates is not None or not repeated.any()
    return Verdict(
        columns,
        tuple(sentence for sentence, _ in failures),
        ()
        if silent
        else (f"{findings.duplicates()}. To allow or refuse that, set `duplicates` in the schema.",),
        tuple(path for _, path in failures),
    )


def implied(raw: Raw, label: str) -> tuple[Schema, tuple[str, ...]]:
    """The schema of a file that comes without one: types as most values suggest, a label in each row; and warnings."""
    rules, warnings = {}, []
    for name, values in raw.columns.items():
        guessed = guess(values)
        lacks = name != label and (values.null_count > 0 or bool(guessed.marks))
        rules[name] = ColumnRule(
            type=guessed.type, missing=1.0 if lacks else 0.0, missing_values=guessed.marks
        )
        if guessed.marks:
            warnings.append(f"{name}: {listed(guessed.marks)} among numbers was taken for a missing value.")
        if values.null_count == len(values):
            warnings.append(f"{name}: the column has no values at all.")
    return Schema(apiVersion="loopwright/v1", columns=rules), tuple(warnings)


def _failures(
    raw: Raw,
    schema: Schema,
    label: str,
    columns: Mapping[str, Column],
    repeated: NDArray[np.bool_],
    findings: Findings,
) -> Iterator[tuple[str, str]]:
    """Each failed check as a sentence, with the path of its rule."""
    import pandera.errors
    from pandera.errors import SchemaErrorReason

    unknown = {name: pd.Series(pd.NA, index=range(raw.rows)) for name in raw.columns if name not in columns}
    frame = pd.DataFrame({name: column.values for name, column in columns.items()} | unknown)
    try:
        frame_schema(schema, label, columns, repeated).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        for error in errors.schema_errors:
            if error.reason_code is SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME:
                yield findings.absent(str(error.failure_cases)), f"columns.{error.failure_cases}"
            elif error.reason_code is SchemaErrorReason.COLUMN_NOT_IN_SCHEMA:
                yield findings.unexpected(str(error.failure_cases)), "unexpected_columns"
            else:
                check, name = str(error.check.name), str(error.schema.name)
                failed = _failed_rows(error.check_output, raw.rows)
                rule = _range(schema.columns[name], columns[name], failed) if check == "range" else check
                yield findings.of(check, name, failed), _path(rule, name)


def _range(rule: ColumnRule, column: Column, rows: NDArray[np.bool_]) -> str:
    """The limit that some of these rows lie beyond."""
    return "min" if rule.min is not None and (column.values[rows] < rule.min).any() else "max"


def _path(check: str, name: str) -> str:
    """The path of what a check of `checks.frame_schema` holds data to; that of the column where nothing states it."""
    if check in ("rows", "duplicates"):
        return "min_rows" if check == "rows" else "duplicates"
    return f"columns.{name}" if check == "constant" else f"columns.{name}.{check}"


def _failed_rows(output: object, rows: int) -> NDArray[np.bool_]:
    """The rows that a check refused; all of them where it judged the column as a whole."""
    if not isinstance(output, pd.Series):
        return np.ones(rows, dtype=bool)
    held = output.reindex(range(rows)).astype("boolean").fillna(True)
    failed: NDArray[np.bool_] = ~held.to_numpy(dtype=bool)
    return failed
