"""`python -m loopwright.datasets.job FOLDER`: the data step of the loop, as a job of its own.

Reads the source, checks it, and writes `train` and `test` in the source's format, `baseline.json` and `profile.json`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from loopwright import jobs
from loopwright.datasets import profile, reading
from loopwright.datasets.columns import Column
from loopwright.datasets.raw import Raw
from loopwright.datasets.schema import Schema, load
from loopwright.datasets.splitting import Split, split
from loopwright.datasets.validation import Verdict, implied, require_label, validate
from loopwright.errors import Place, StepFailed, resting_on
from loopwright.observations import bins
from loopwright.observations.rows import row_hashes
from loopwright.spec.units import show_duration
from loopwright.state import replace_file

_UNCHECKED = (
    "{name} has no schema file, so only the types of its values were checked. "
    "`loopwright data infer` writes one; name it in the spec as data.{name}.schema."
)
_WRITE_ONE = "Correct the data, or declare its columns in a schema file (`loopwright data infer` writes one)."


class SplitInput(msgspec.Struct, frozen=True):
    """How to hold rows out."""

    test: float
    by: str


class DataInput(msgspec.Struct, frozen=True, kw_only=True):
    """What the job is told; `source_name` and `schema_name` are the files' names for people, and the former has the format."""

    name: str
    source: str
    label: str
    split: SplitInput
    schema: str | None = None
    source_name: str = ""
    schema_name: str | None = None
    fresh_within: float | None = None  # seconds
    modified_at: float  # seconds since the epoch
    now: float


def work(given: jobs.Input, outputs: Path) -> jobs.Output:
    """Do the step; raises StepFailed with all that is wrong with the data, SpecError with all that is with the schema."""
    told = msgspec.convert(given, DataInput)
    _require_fresh(told)
    raw = reading.read(Path(told.source), told.source_name or told.source)
    with resting_on(f"data.{told.name}.label"):
        require_label(raw, told.label)
    hashes = row_hashes(raw.frame())
    schema, verdict = _judge(told, raw, pd.Series(hashes).duplicated().to_numpy())
    with resting_on(f"data.{told.name}.split"):
        held_out = split(raw, hashes, told.split.test, told.split.by)
    columns = {name: verdict.columns[name] for name in raw.columns if name in verdict.columns}
    described = _describe(told, schema, columns, held_out)
    suffix = PurePath(raw.shown).suffix.lower()
    train, test = f"train{suffix}", f"test{suffix}"
    reading.write_parts(raw, {outputs / train: ~held_out.test, outputs / test: held_out.test})
    replace_file(
        outputs / "baseline.json",
        bins.encode(_baseline(told.label, schema, columns, held_out, described["task"])),
        0o644,
    )
    version = reading.digest(raw.path)
    report = {
        "version": version,
        "rows": raw.rows,
        **described,
        "columns": {name: profile.describe(column) for name, column in columns.items()},
    }
    replace_file(outputs / "profile.json", json.dumps(report, indent=1, allow_nan=False).encode(), 0o644)
    return {
        "version": version,
        "rows": raw.rows,
        "train_rows": held_out.train_rows,
        "test_rows": held_out.test_rows,
        "train": train,
        "test": test,
        "columns": profile.signature(schema, columns, told.label),
        "missing_values": {
            name: list(rule.missing_values) for name, rule in schema.columns.items() if rule.missing_values
        },
        "label": described["label"],
        "task": described["task"],
        "example": profile.example(columns, told.label, ~held_out.test),
        "warnings": [*verdict.warnings, *held_out.warnings],
    }


def _require_fresh(told: DataInput) -> None:
    age = told.now - told.modified_at
    if told.fresh_within is None or age <= told.fresh_within:
        return
    changed = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(told.modified_at))
    raise StepFailed(
        f"{told.source_name or told.source}: the data is stale: it changed last {show_duration(round(age))} ago, on {changed}, "
        f"expected within {show_duration(told.fresh_within)} (fresh_within). Bring newer data, or raise fresh_within.",
        [f"data.{told.name}.fresh_within"],
    )


def _judge(told: DataInput, raw: Raw, repeated: NDArray[np.bool_]) -> tuple[Schema, Verdict]:
    if told.schema is None:
        schema, guesses = implied(raw, told.label)
        warnings = (_UNCHECKED.format(name=told.name), *guesses)
        failed, advice = "has values unlike most others of their column", _WRITE_ONE
    else:
        shown = told.schema_name or told.schema
        schema, warnings = load(Path(told.schema), shown), ()
        if told.label not in schema.columns:
            raise StepFailed(
                f"{shown} declares no column {told.label!r}, which is the label; declare it under `columns`.",
                [Place("columns", shown)],
            )
        failed, advice = (
            f"does not match {shown}",
            f"Correct the data or, where the data is right, edit {shown}.",
        )
    verdict = validate(raw, schema, told.label, repeated)
    if verdict.failures:
        listed = "".join(f"\n    {failure}" for failure in verdict.failures)
        at = [Place(path, told.schema_name) for path in verdict.places] if told.schema_name else []
        raise StepFailed(f"{raw.shown} {failed}:{listed}\n{advice}", at)
    return schema, replace(verdict, warnings=(*warnings, *verdict.warnings))


def _describe(
    told: DataInput, schema: Schema, columns: Mapping[str, Column], held_out: Split
) -> dict[str, Any]:
    label = columns[told.label]
    task = profile.task_of(label, schema.columns[told.label].values)
    return {
        "task": task,
        "label": profile.describe_label(told.label, label, task),
        "split": {
            "by": told.split.by,
            "wanted": told.split.test,
            "share": held_out.test_rows / held_out.test.size,
            "train_rows": held_out.train_rows,
            "test_rows": held_out.test_rows,
        },
    }


def _baseline(
    label: str, schema: Schema, columns: Mapping[str, Column], held_out: Split, task: str
) -> bins.Baseline:
    kinds: dict[str, bins.Kind] = {
        name: "numbers" if column.type in ("integer", "number") else "categories"
        for name, column in columns.items()
    }
    kinds[label] = "categories" if task == "classification" else "numbers"
    known = {name: rule.values for name, rule in schema.columns.items() if rule.values and name in columns}
    values = {name: _values(column.values[~held_out.test], kinds[name]) for name, column in columns.items()}
    return bins.make(values, kinds, label, known)


def _values(column: pd.Series[Any], kind: bins.Kind) -> Any:
    if kind == "numbers":
        return column.to_numpy(dtype="float64", na_value=float("nan"))
    return column.astype(object).where(column.notna(), None).to_list()


if __name__ == "__main__":
    jobs.main(work)
