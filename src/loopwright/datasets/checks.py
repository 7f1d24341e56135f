"""The pandera schema of a schema file: what is checked of rows whose values have been brought to their types."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pandera
from numpy.typing import NDArray

from loopwright.datasets.columns import DTYPES, Column
from loopwright.datasets.schema import ColumnRule, Schema


def frame_schema(
    schema: Schema, label: str, columns: Mapping[str, Column], repeated: NDArray[np.bool_]
) -> pandera.DataFrameSchema:
    """Checks named `missing`, `range`, `values`, `unique`, `balance`, `constant`, `rows`, `duplicates`.

    `repeated` says of each row whether it repeats an earlier one. Values that could not be read are not checked again.
    """
    return pandera.DataFrameSchema(
        {name: _column(rule, columns.get(name), name == label) for name, rule in schema.columns.items()},
        checks=[
            pandera.Check(lambda frame: len(frame) >= (schema.min_rows or 1), name="rows"),
            pandera.Check(
                lambda _: schema.duplicates is None or repeated.mean() <= schema.duplicates, name="duplicates"
            ),
        ],
        strict=schema.unexpected_columns == "refuse",
    )


def _column(rule: ColumnRule, column: Column | None, is_label: bool) -> pandera.Column:
    unreadable = column.unreadable if column else np.zeros(0, dtype=bool)
    allowed = 0.0 if is_label else rule.missing
    checks = [
        pandera.Check(
            partial(_present, unreadable=unreadable, allowed=allowed), name="missing", ignore_na=False
        )
    ]
    if rule.min is not None or rule.max is not None:
        checks.append(pandera.Check(partial(_within, rule=rule), name="range"))
    if rule.values is not None:
        checks.append(pandera.Check.isin(list(rule.values), name="values"))
    if rule.unique:
        checks.append(pandera.Check(lambda values: ~values.duplicated(keep=False), name="unique"))
    if rule.balance:
        checks.append(pandera.Check(partial(_balanced, rule=rule), name="balance"))
    if is_label:
        checks.append(pandera.Check(lambda values: values.nunique() > 1, name="constant"))
    return pandera.Column(DTYPES[rule.type], checks, nullable=True)


def _present(values: pd.Series[Any], unreadable: NDArray[np.bool_], allowed: float) -> pd.Series[bool]:
    present = values.notna() | unreadable
    return present if (~present).mean() > allowed else pd.Series(True, index=values.index)


def _within(values: pd.Series[Any], rule: ColumnRule) -> pd.Series[bool]:
    least = values >= rule.min if rule.min is not None else pd.Series(True, index=values.index)
    return least & (values <= rule.max) if rule.max is not None else least


def shares(values: pd.Series[Any], rule: ColumnRule) -> dict[Any, float]:
    """The share of each declared value, or of each that occurs where none is declared."""
    found = values.value_counts(normalize=True)
    wanted = rule.values if rule.values is not None else tuple(found.index)
    return {value: float(found.get(value, 0.0)) for value in wanted}


def _balanced(values: pd.Series[Any], rule: ColumnRule) -> bool:
    return rule.balance is None or min(shares(values, rule).values(), default=0.0) >= rule.balance.min_share
