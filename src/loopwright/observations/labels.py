"""Labels: what feedback said of requests, looked up by request and row. The newest by its own time counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from loopwright.observations import blocks
from loopwright.observations.blocks import Event, Events, Scalar
from loopwright.observations.types import column, common, kinds

_TIME = pa.timestamp("us", tz="UTC")


class Labels:
    """All labels of a workload in an environment, by our id of the request or the client's."""

    def __init__(self) -> None:
        self._ours: dict[tuple[str, int], tuple[float, Scalar]] = {}
        self._theirs: dict[tuple[str, int], tuple[float, Scalar]] = {}

    def take(self, path: Path) -> None:
        """Those in a segment."""
        for block in blocks.read(path):
            if isinstance(block, Events):
                for event in block.events:
                    self._add(event)

    def _add(self, event: Event) -> None:
        if event.label is None:
            return
        known = self._ours if event.id is not None else self._theirs
        key = (event.id or event.client_id or "", event.row)
        if key not in known or known[key][0] <= event.at:
            known[key] = (event.at, event.label)

    def type(self) -> pa.DataType:
        """Of the labels, as a column."""
        every = [*self._ours.values(), *self._theirs.values()]
        return common(kinds(label for _, label in every))

    def columns(
        self, ids: Sequence[str], client_ids: Sequence[str | None], rows: Sequence[int]
    ) -> dict[str, pa.Array]:
        """`label` and `labelled` (when it was so) of these rows."""
        found: list[tuple[float, Any] | tuple[None, None]] = [
            self._ours.get((own, row)) or self._theirs.get((theirs or "", row)) or (None, None)
            for own, theirs, row in zip(ids, client_ids, rows, strict=True)
        ]
        at = [None if moment is None else int(moment * 1e6) for moment, _ in found]
        return {
            "label": column([label for _, label in found], self.type()),
            "labelled": pa.array(at, pa.int64()).cast(_TIME),
        }
