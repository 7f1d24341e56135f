"""A fitted model compiled in this process, and asked beside its original."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from loopwright.packaging import compiling, tree_graph
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
        width = self.plan.pop("width_of_head")
        if converted.trees is not None:
            described = converted.trees.save(str(folder / "trees.npz"))
            forest = tree_graph.read(folder / "trees.npz")
            self.plan["head"] = tree_graph.write(
                forest, msgspec.convert(described, tree_graph.Described), width, folder
            )
        (folder / "plan.json").write_text(json.dumps(self.plan))
        self.compiled = compiled.load(folder)

    def compare(self, rows: Sequence[tuple[Any, ...]]) -> Verdict:
        """How the answers to rows, none of which is refused, compare."""
        theirs = Answered(self.original.score(rows, self.names, self.types), [])
        names = [output.name for output in self.compiled.outputs]
        return compare(rows, names, theirs, compiling.ask(self.compiled, rows, 16))
