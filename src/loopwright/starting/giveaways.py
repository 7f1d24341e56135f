"""Columns that tell the label by themselves: most often they are known only after it, or are made from it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from loopwright.datasets.inference import scalar
from loopwright.starting.columns import Columns, Feature
from loopwright.starting.label import Label

_MOST_VALUES = 50
_ROWS_PER_VALUE = 5
_NEARLY = 0.9999  # a correlation that no measured quantity has with another


def told(label: Label, columns: Columns) -> Iterator[str]:
    """A warning for each such column."""
    for feature in columns.features:
        gives_away = _same_order if label.task == "regression" else _one_label_each
        if gives_away(feature, label):
            yield (
                f"{scalar(feature.name)} alone tells the label: is it known when a prediction is asked for? "
                f"If not: --leave-out {scalar(feature.name)}"
            )


def _one_label_each(feature: Feature, label: Label) -> bool:
    """Whether every value of a column with few goes with one label only."""
    values = feature.column.values
    distinct = values.nunique()
    if distinct > _MOST_VALUES or distinct * _ROWS_PER_VALUE > len(values):
        return False
    return int(label.values.groupby(values).nunique().max()) == 1


def _same_order(feature: Feature, label: Label) -> bool:
    """Whether a column is the label in another unit."""
    if feature.role != "number":
        return False
    values = feature.column.values.to_numpy(dtype=np.float64, na_value=np.nan)
    labels, known = label.values.to_numpy(dtype=np.float64), np.isfinite(values)
    if known.sum() < 3 or values[known].std() == 0 or labels[known].std() == 0:
        return False
    return bool(abs(np.corrcoef(values[known], labels[known])[0, 1]) > _NEARLY)
