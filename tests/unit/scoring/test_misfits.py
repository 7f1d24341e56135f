"""Which value a model has raised over."""

from __future__ import annotations

from typing import Any

import pytest

from loopwright.scoring.models import misfit

NAMES = ["age", "port"]


@pytest.mark.parametrize(
    ("said", "rows", "found"),
    [
        ("Input X contains infinity or a value too large for dtype('float32').", [[1, "S"], [1e39, "S"]], ("age", 1, "1e+39")),
        ("Input X contains NaN.", [[1, None], [None, "S"]], ("port", 0, "null")),
        ("Row 0 lacks 'age', and the model takes no missing int64.", [[None, "S"]], ("age", 0, "null")),
        ("Found unknown categories ['x', 'y'] in column 0 during transform", [[1, "S"], [2, "y"]], ("port", 1, "'y'")),
        ("Found unknown categories [7] in column 0 during transform", [[1, "S"], [7, "S"]], ("age", 1, "7")),
        ("Found a category not in the training set for the 1th (0-based) column: `x`", [[1, "x"]], ("port", 0, "'x'")),
    ],
)  # fmt: skip
def test_the_value_that_is_complained_of_is_found(said: str, rows: Any, found: Any) -> None:
    told = misfit(ValueError(said), rows, NAMES)
    assert told is not None
    assert tuple(told.loopwright_details[part] for part in ("field", "row", "found")) == found


@pytest.mark.parametrize(
    "said", ["Input X contains infinity", "Input X contains NaN.", "unknown categories", "no"]
)
def test_where_no_value_explains_it_the_model_has_failed(said: str) -> None:
    assert misfit(ValueError(said), [[1, "S"]], NAMES) is None
