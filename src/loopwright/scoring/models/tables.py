"""What all kinds of model share: the interface, and rows turned into the table that a model was fitted on."""

from __future__ import annotations

import re
from typing import Any, List, Sequence, Tuple

Columns = List[List[Any]]
Outputs = Tuple[Tuple[str, str], ...]
Rows = Sequence[Sequence[Any]]

_NAMES_SHOWN = 12


class ModelError(Exception):
    """The model cannot be loaded, or does not fit its inputs; one sentence for a person."""


class RowError(ModelError):
    """A row holds what the model cannot take: its client's fault, not the model's."""

    loopwright_status = 422  # by which the worker tells it from a failure

    def __init__(self, field: str, row: int, found: str, expected: str) -> None:
        super().__init__(f"Row {row}: field {field!r} is {found}, expected {expected}.")
        self.loopwright_details = {"field": field, "row": row, "found": found, "expected": expected}


class Model:
    """A loaded model. `outputs` names and types its answers: integer, number, string, boolean or object."""

    outputs: Outputs = ()

    def check(self, names: Sequence[str], types: Sequence[str]) -> None:
        """Raise ModelError where the model cannot take inputs with these names and types."""
        raise NotImplementedError

    def check_missing(self, names: Sequence[str], nullable: Sequence[str]) -> None:
        """Raise ModelError where it can never take a missing value in one of the inputs that may have one; asked when it is
        packaged, and where it is not known nothing is said."""

    def score(self, rows: Rows, names: Sequence[str], types: Sequence[str]) -> Columns:
        """The answers, column by column; raises RowError, ModelError, or whatever the library raises over a row."""
        raise NotImplementedError


def order_by_name(wanted: Sequence[str], names: Sequence[str]) -> list[int]:
    """Where in a row each wanted column is; raises ModelError where one is not."""
    places = {name: place for place, name in enumerate(names)}
    missing = [name for name in wanted if name not in places]
    if missing:
        raise ModelError(
            f"The model takes {listed(missing)}, which the declared inputs ({listed(names)}) do not have; declare the "
            "columns that it was trained on."
        )
    return [places[name] for name in wanted]


def order_by_place(count: int | None, names: Sequence[str]) -> list[int]:
    """All columns as they come; raises ModelError where the model takes another number of them."""
    if count is not None and count != len(names):
        raise ModelError(
            f"The model takes {count} inputs without names, found {len(names)} ({listed(names)}); declare exactly the "
            "columns that it was trained on, in their order."
        )
    return list(range(len(names)))


def listed(names: Sequence[str]) -> str:
    """Names for a sentence, shortened where there are many."""
    shown = ", ".join(repr(str(name)) for name in names[:_NAMES_SHOWN])
    return shown + (", ..." if len(names) > _NAMES_SHOWN else "")


def array(rows: Rows, order: Sequence[int], types: Sequence[str]) -> Any:
    """A NumPy array, rows by columns: float64 with NaN where a value is missing, of objects where there are strings."""
    import numpy as np

    picked: Any = rows
    if list(order) != list(range(len(types))):
        picked = [[row[place] for place in order] for row in rows]
    if any(types[place] == "string" for place in order):
        table = np.empty((len(rows), len(order)), dtype=object)
        for number, row in enumerate(picked):
            table[number] = [np.nan if value is None else value for value in row]
        return table
    if not len(rows):
        return np.empty((0, len(order)))
    return np.array(picked, dtype=np.float64)


def frame(
    rows: Rows,
    order: Sequence[int],
    names: Sequence[str],
    types: Sequence[str],
    categories: dict[str, Any] | None = None,
) -> Any:
    """A pandas DataFrame with the types that reading the same values from a file gives.

    `categories` has the known values of each column that is to be of pandas' category type.
    """
    import pandas as pd

    columns = list(zip(*rows)) if len(rows) else [()] * len(types)
    data = {}
    for place in order:
        name, values = names[place], columns[place]
        if categories and name in categories:
            data[name] = pd.Categorical(_filled(values), categories=categories[name])
        else:
            data[name] = column(values, types[place])
    return pd.DataFrame(data, copy=False)


def column(values: Sequence[Any], kind: str) -> Any:
    """One column as pandas reads it: integers and booleans with gaps become floats and objects, gaps become NaN."""
    import numpy as np

    gaps = None in values
    if kind == "number" or (kind == "integer" and gaps):
        return np.array(values, dtype=np.float64)
    if kind == "integer":
        return np.array(values, dtype=np.int64)
    if kind == "boolean" and not gaps:
        return np.array(values, dtype=bool)
    return _text(_filled(values) if gaps else values) if kind == "string" else _objects(_filled(values))


def _filled(values: Sequence[Any]) -> list[Any]:
    missing = float("nan")
    return [missing if value is None else value for value in values]


def _objects(values: Sequence[Any]) -> Any:
    import numpy as np

    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def _text(values: Sequence[Any]) -> Any:
    """Strings: pandas' own type from release 3 on, objects before."""
    import pandas as pd

    made = _objects(values)
    return pd.array(made, dtype="str") if int(pd.__version__.split(".")[0]) >= 3 else made


def plain_name(name: str) -> str:
    """A column's name as LightGBM keeps it."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", name)


def label_text(label: Any) -> str:
    """A class's label as the key of an object."""
    return label if isinstance(label, str) else str(label)


def label_type(labels: Sequence[Any]) -> str:
    """The type of an answer that is one of these labels."""
    kinds = {type(label) for label in labels}
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number")):
        if kinds == {kind}:
            return name
    return "string" if kinds == {str} else "object"


def class_outputs(labels: Sequence[Any], scored: bool) -> Outputs:
    """The outputs of a classifier with these classes; `scored` where it tells probabilities."""
    prediction = ("prediction", label_type(labels))
    if not scored:
        return (prediction,)
    if len(labels) == 2:
        return prediction, ("probability", "number")
    return prediction, ("probabilities", "object")


def class_scores(labels: Sequence[Any], table: Any) -> list[Any]:
    """The second output of a classifier, from its table of rows by classes."""
    if len(labels) == 2:
        return list(table[:, 1].tolist())
    texts = [label_text(label) for label in labels]
    return [dict(zip(texts, row)) for row in table.tolist()]
