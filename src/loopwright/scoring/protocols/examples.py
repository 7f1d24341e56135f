"""The package's example request as bodies of each protocol, for the description of a replica's paths."""

from __future__ import annotations

import csv as writing
import io
from collections.abc import Sequence
from typing import Any

from loopwright.scoring.protocols.body_schemas import Json
from loopwright.scoring.protocols.tensors import OF_TYPE
from loopwright.scoring.settings import Input

_LABELS = ("prediction", "label")


def tensors(inputs: Sequence[Input], row: Json) -> Json:
    """An InferRequest; a missing value is no tensor at all."""
    given = [one for one in inputs if row.get(one.name) is not None]
    return {
        "inputs": [
            {"name": one.name, "datatype": OF_TYPE[one.type], "shape": [1], "data": [row[one.name]]}
            for one in given
        ]
    }


def split(row: Json) -> Json:
    """MLflow's dataframe_split."""
    return {"dataframe_split": {"columns": list(row), "data": [list(row.values())]}}


def csv(row: Json) -> str:
    """A header and a line."""
    made = io.StringIO()
    writer = writing.writer(made, lineterminator="\n")
    writer.writerow(row)
    writer.writerow("" if value is None else value for value in row.values())
    return made.getvalue()


def feedback(example: Json | None) -> Json:
    """A label of a request, such as the model gave it."""
    answer: Any = (example or {}).get("response")
    found = [answer[name] for name in _LABELS if name in answer] if isinstance(answer, dict) else []
    label = found[0] if found and isinstance(found[0], str | int | float) else 1
    return {"id": "the x-request-id of an answer", "label": label}
