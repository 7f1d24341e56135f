"""`run_batch(rows)`: the rows of several requests in one call, in the form that the script asks for.

A script asks by a function `run_batch`, whose annotation says the form, or by `@batched` from `loopwright_serving` on
whatever function it likes; the spec may name the form too. What comes back is one answer for each row.

    def run_batch(rows: pandas.DataFrame): ...     # also numpy.ndarray, pyarrow.Table, or list: of dictionaries
"""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any, Callable

from .parts import Config, Refused

FORMS = ("dataframe", "numpy", "records", "arrow")
MARK = "__loopwright_form__"  # what @batched leaves on a function
_ANNOTATIONS = (
    ("DataFrame", "dataframe"),
    ("ndarray", "numpy"),
    ("NDArray", "numpy"),
    ("RecordBatch", "arrow"),
    ("Table", "arrow"),
    ("list", "records"),
    ("List", "records"),
    ("Sequence", "records"),
)
_TYPES = {"integer": "int64", "number": "float64", "string": "string", "boolean": "bool_"}


def batch_function(module: ModuleType, config: Config) -> tuple[Callable[..., Any] | None, str]:
    """The function that takes batches, and the form it asks for; None where the script has none.

    Raises ValueError where the spec or an annotation asks for what there is not.
    """
    function = getattr(module, "run_batch", None)
    if not callable(function):
        marked = [
            one for one in vars(module).values() if callable(one) and getattr(one, MARK, None) is not None
        ]
        function = marked[0] if marked else None
    if function is None:
        if config.batching:
            raise ValueError(
                f"serving.batching is declared, and {config.entry} has no function run_batch(rows); define one, or "
                "take serving.batching out"
            )
        return None, ""
    form = config.form or getattr(function, MARK, "") or _annotated(function)
    if form not in FORMS:
        raise ValueError(f"{config.entry} asks for rows as {form!r}, expected one of {', '.join(FORMS)}")
    return function, form


class Batches:
    """A script that takes rows."""

    takes_example = True  # it was packaged with its answers to it

    def __init__(
        self,
        module: ModuleType,
        function: Callable[..., Any],
        form: str,
        config: Config,
        beside: Callable[[str], Any],
    ) -> None:
        self.told: dict[str, Any] = {"takes": "rows" if config.inputs is not None else "text"}
        self._init = getattr(module, "init", None)
        self._function = function
        self._form = form
        self._config = config
        self._names, self._types = config.names, config.types
        self._tables = beside("models").tables if form in ("dataframe", "numpy") else None

    def start(self) -> Any:
        return self._init() if callable(self._init) else None

    def warm_up(self) -> Any:
        example = self._config.example_row()
        return None if example is None else self._function(self._table([example]))

    def rows(self, rows: list[list[Any]]) -> Any:
        """One answer for each row."""
        answers = self._function(self._table(rows))
        if hasattr(answers, "__await__"):
            return _awaited(answers, len(rows))
        return _listed(answers, len(rows))

    def text(self, data: str) -> Any:
        """A body by itself, where there is no signature yet: one object, or a list of them."""
        body = json.loads(data)
        if isinstance(body, dict) and isinstance(body.get("data"), list):
            body = body["data"]
        single = not isinstance(body, list)
        records = [body] if single else body
        if not all(isinstance(one, dict) for one in records):
            raise Refused(422, "The body is not an object or a list of objects.")
        names = list(dict.fromkeys(name for one in records for name in one))
        rows = [[one.get(name) for name in names] for one in records]
        types = [_guessed([row[place] for row in rows]) for place in range(len(names))]
        answers = self._function(self._as(rows, names, types))
        if hasattr(answers, "__await__"):
            return _awaited(answers, len(rows), single)
        listed = _listed(answers, len(rows))
        return listed[0] if single else listed

    def _table(self, rows: list[list[Any]]) -> Any:
        return self._as(rows, self._names, self._types)

    def _as(self, rows: list[list[Any]], names: list[str], types: list[str]) -> Any:
        if self._form == "records":
            return [dict(zip(names, row)) for row in rows]
        if self._form == "arrow":
            return _arrow(rows, names, types)
        assert self._tables is not None  # noqa: S101  (loaded for these forms)
        if self._form == "numpy":
            return self._tables.array(rows, range(len(names)), types)
        return self._tables.frame(rows, range(len(names)), names, types)


def _annotated(function: Callable[..., Any]) -> str:
    """The form that the annotation of the first parameter names; records where there is none."""
    annotations = [
        kind for name, kind in getattr(function, "__annotations__", {}).items() if name != "return"
    ]
    if not annotations:
        return "records"
    kind = annotations[0]
    text = kind if isinstance(kind, str) else getattr(kind, "__name__", None) or str(kind)
    text = text.strip("'\"")  # quoted, and written where annotations are texts anyway
    outer = text.split("[", 1)[0].split(".")[-1]
    return dict(_ANNOTATIONS).get(outer, str(text))


def _arrow(rows: list[list[Any]], names: list[str], types: list[str]) -> Any:
    import pyarrow as pa

    columns = list(zip(*rows)) if rows else [()] * len(names)
    arrays = [
        pa.array(column, getattr(pa, _TYPES[kind])() if kind in _TYPES else None)
        for column, kind in zip(columns, types)
    ]
    return pa.table(arrays, names=names)


async def _awaited(answers: Any, count: int, single: bool = False) -> Any:
    listed = _listed(await answers, count)
    return listed[0] if single else listed


def _listed(answers: Any, count: int) -> list[Any]:
    """One answer for each row, from whatever holds them; raises ValueError where they are more or fewer."""
    if hasattr(answers, "to_pylist"):
        answers = answers.to_pylist()
    elif hasattr(answers, "to_dict") and hasattr(answers, "columns"):
        answers = answers.to_dict(orient="records")
    elif hasattr(answers, "tolist"):
        answers = answers.tolist()
    elif isinstance(answers, dict) and answers and all(_is_column(one, count) for one in answers.values()):
        columns = [_listed(one, count) for one in answers.values()]
        answers = [dict(zip(answers, row)) for row in zip(*columns)]
    if not isinstance(answers, (list, tuple)):
        raise ValueError(
            f"run_batch() gave a {type(answers).__name__}, expected one answer for each of {count} rows"
        )
    if len(answers) != count:
        raise ValueError(f"run_batch() gave {len(answers)} answers for {count} rows, expected one for each")
    return list(answers)


def _is_column(value: Any, count: int) -> bool:
    return not isinstance(value, (str, bytes, dict)) and hasattr(value, "__len__") and len(value) == count


def _guessed(values: list[Any]) -> str:
    """The type of a column without a signature."""
    kinds = {type(value) for value in values if value is not None}
    for found, name in (
        ({bool}, "boolean"),
        ({int}, "integer"),
        ({float}, "number"),
        ({int, float}, "number"),
    ):
        if kinds and kinds <= found:
            return name
    return "string"
