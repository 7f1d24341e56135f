"""A fitted model compiled in this process, and asked beside its original."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from loopwright.packaging import compiling, tree_graph, tree_head
from loopwright.packaging.conversion.model import convert
from loopwright.packaging.verdict import Answered, Verdict, compare
from loopwright.scoring import compiled, model_shim


class Rig:
    """A model, its original and its compiled form."""

    def __init__(
        self, model: Any, names: Sequence[str], types: Sequence[str], example: Sequence[Any], folder: Path
    ) -> None:
        self.names, self.types = list(names), list(types)
        self.original = model_shim.of(model)
        converted = convert(self.original, self.names, self.types, list(example))
        self.plan = json.loads(json.dumps(converted.plan))
        self._folder, self._width, self._trees = folder, self.plan.pop("width_of_head"), converted.trees
        if self._trees is not None:
            self.plan["head"] = tree_head.write(*self._forest(), self.plan, self._width, folder)
        self._load()

    def _forest(self) -> tuple[tree_graph.Forest, tree_graph.Described]:
        assert self._trees is not None
        described = self._trees.save(str(self._folder / "trees.npz"))
        return tree_graph.read(self._folder / "trees.npz"), msgspec.convert(described, tree_graph.Described)

    def _load(self) -> None:
        (self._folder / "plan.json").write_text(json.dumps(self.plan))
        self.compiled = compiled.load(self._folder)

    def forms(self) -> Iterator[str]:
        """Have each form that it can be compiled to, one after the other: trees may also be a graph."""
        yield self.plan["head"]["type"]
        if self.plan["head"]["type"] == "masks":
            self.plan["head"] = tree_graph.write(*self._forest(), self._width, self._folder)
            self._load()
            yield "onnx"

    def compare(self, rows: Sequence[tuple[Any, ...]]) -> Verdict:
        """How the answers to rows, none of which is refused, compare."""
        theirs = Answered(self.original.score(rows, self.names, self.types), [])
        names = [output.name for output in self.compiled.outputs]
        return compare(rows, names, theirs, compiling.ask(self.compiled, rows, 16))
