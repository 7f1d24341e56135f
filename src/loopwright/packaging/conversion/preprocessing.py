"""A pipeline's transformers as the first half of a plan: blocks that make a matrix of the inputs, and steps on it.

What the plan cannot do is left over, from the first such transformer on: the caller may have it converted by others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Dict

from . import CannotCompile
from .elementwise import steps_of
from .tabulating import Tabulator, has_encoder

Block = Dict[str, Any]


class Source:
    """Rows of inputs as the original gets them.

    `table(rows)` is the data frame or array; its column j is the input `order[j]`.
    """

    def __init__(
        self,
        names: Sequence[str],
        types: Sequence[str],
        order: Sequence[int],
        table: Callable[[list[Any]], Any],
        example: Sequence[Any],
    ) -> None:
        self.names, self.types, self.order = list(names), list(types), list(order)
        self.table = table
        self.example = list(example)

    def kinds(self, columns: Sequence[int]) -> list[str]:
        return [self.types[self.order[column]] for column in columns]


class Prepared:
    """What was made of the transformers."""

    def __init__(self, blocks: list[Block], width: int, taken: int) -> None:
        self.blocks, self.made, self.width = blocks, width, width
        self.steps: list[dict[str, Any]] = []
        self.taken = taken  # how many transformers of the pipeline this does
        self.trouble = ""  # why not all of them


def flatten(transformer: Any) -> list[Any]:
    """The transformers of pipelines in pipelines, in their order."""
    if transformer is None or transformer == "passthrough":
        return []
    if type(transformer).__name__ == "Pipeline":
        return [one for _, step in transformer.steps for one in flatten(step)]
    return [transformer]


def prepare(steps: list[Any], source: Source) -> Prepared:
    """Blocks and steps for as many transformers as can be done; raises CannotCompile where not even a matrix comes of them."""
    made = _assemble(steps, source)
    for step in steps[made.taken :]:
        try:
            done, width = steps_of(step, made.width)
        except CannotCompile as error:
            made.trouble = str(error)
            break
        made.steps += done
        made.width = width
        made.taken += 1
    return made


def _assemble(steps: list[Any], source: Source) -> Prepared:
    if steps and type(steps[0]).__name__ == "ColumnTransformer":
        return _columns(steps[0], source)
    columns = list(range(len(source.order)))
    encoders = [place for place, step in enumerate(steps) if has_encoder([step])]
    if encoders:
        first = steps[: encoders[-1] + 1]

        def apply(rows: list[Any]) -> Any:
            table = source.table(rows)
            for step in first:
                table = step.transform(table)
            return dense(table)

        blocks, width = _tabulated(first, columns, source, apply, 0)
        return Prepared(blocks, width, len(first))
    _refuse_text(columns, source, type(steps[0]).__name__ if steps else "the model")
    return Prepared([_numbers(columns, [], len(columns), source, 0)], len(columns), 0)


def _columns(transformer: Any, source: Source) -> Prepared:
    """A ColumnTransformer: its branches side by side, in its own order."""
    if getattr(transformer, "transformer_weights", None):
        raise CannotCompile("a ColumnTransformer has transformer_weights")
    blocks: list[Block] = []
    width = 0
    for _name, branch, chosen in transformer.transformers_:
        columns = _chosen(chosen, transformer, source)
        if not columns or branch == "drop":
            continue
        made, more = _branch(branch, columns, source, width)
        blocks += made
        width += more
    return Prepared(blocks, width, 1)


def _branch(branch: Any, columns: list[int], source: Source, start: int) -> tuple[list[Block], int]:
    steps = flatten(branch)
    if has_encoder(steps):

        def apply(rows: list[Any]) -> Any:
            return dense(branch.transform(_slice(source.table(rows), columns)))

        return _tabulated(steps, columns, source, apply, start)
    _refuse_text(columns, source, type(steps[0]).__name__ if steps else "the model")
    done: list[Any] = []
    width = len(columns)
    for step in steps:
        more, width = steps_of(step, width)
        done += more
    return [_numbers(columns, done, width, source, start)], width


def _tabulated(
    steps: list[Any], columns: list[int], source: Source, apply: Any, start: int
) -> tuple[list[Block], int]:
    inputs = [source.order[column] for column in columns]
    return Tabulator(steps, inputs, source.kinds(columns), apply, source.example).blocks(start)


def _numbers(columns: list[int], steps: list[Any], width: int, source: Source, start: int) -> Block:
    return {
        "type": "numbers",
        "inputs": [source.order[column] for column in columns],
        "steps": steps,
        "at": list(range(start, start + width)),
    }


def _refuse_text(columns: list[int], source: Source, taker: str) -> None:
    texts = [
        source.names[source.order[column]]
        for column in columns
        if source.types[source.order[column]] == "string"
    ]
    if texts:
        raise CannotCompile(f"{taker} takes the text of {', '.join(map(repr, texts[:5]))}")


def _chosen(chosen: Any, transformer: Any, source: Source) -> list[int]:
    """The positions of a branch's columns, which may be named by position, name, slice or mask."""
    import numpy as np

    width = len(source.order)
    if isinstance(chosen, (str, int, np.integer)) and not isinstance(chosen, bool):
        chosen = [chosen]
    if isinstance(chosen, slice) and not any(isinstance(end, str) for end in (chosen.start, chosen.stop)):
        return list(range(width))[chosen]
    if isinstance(chosen, slice):
        names = _names(transformer)
        stop = width if chosen.stop is None else names.index(chosen.stop) + 1
        return list(range(0 if chosen.start is None else names.index(chosen.start), stop))
    values = list(chosen)
    if values and all(isinstance(value, (bool, np.bool_)) for value in values):
        return [place for place, value in enumerate(values) if value]
    if any(isinstance(value, str) for value in values):
        names = _names(transformer)
        return [names.index(value) for value in values]
    return [int(value) % width for value in values]


def _names(transformer: Any) -> list[str]:
    return [str(name) for name in transformer.feature_names_in_]


def _slice(table: Any, columns: list[int]) -> Any:
    return table.iloc[:, columns] if hasattr(table, "iloc") else table[:, columns]


def dense(table: Any) -> Any:
    """As an array of floats, whatever a transformer gave."""
    import numpy as np

    if hasattr(table, "toarray"):
        table = table.toarray()
    return np.asarray(table, dtype=np.float64)
