"""Reading: a workload's segments as one Arrow table, a line for each row of each request. Imports PyArrow.

    time, id, row, client_id, role, status, seconds, workload, environment, revision, version, worker,
    features.NAME ..., outputs.NAME ..., extra.NAME ..., and where labels are wanted: label, labelled

Read segment by segment, so that memory holds one of them; types are agreed on before the first is given out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from loopwright.observations import blocks
from loopwright.observations.blocks import Events, Header, Losses, Requests
from loopwright.observations.labels import Labels
from loopwright.observations.segments import being_written
from loopwright.observations.types import Types, column

OWN = {
    "time": pa.timestamp("us", tz="UTC"),
    "id": pa.string(),
    "row": pa.int32(),
    "client_id": pa.string(),
    "role": pa.string(),
    "status": pa.int16(),
    "seconds": pa.float64(),
    "workload": pa.string(),
    "environment": pa.string(),
    "revision": pa.string(),
    "version": pa.string(),
    "worker": pa.string(),
}


@dataclass(frozen=True)
class Wish:
    """Which observations; None is all."""

    since: float | None = None  # seconds since the epoch
    until: float | None = None
    revision: str | None = None  # its beginning
    version: str | None = None  # such as titanic:3
    role: str | None = None
    id: str | None = None  # the request's, ours or the client's
    labels: bool = False  # whether labels are put beside the rows

    def takes_file(self, header: Header, touched: float) -> bool:
        """Whether there may be some in a segment that was last written then."""
        return self.takes_replica(header) and (self.since is None or touched >= self.since)

    def takes_replica(self, header: Header) -> bool:
        """Whether it is of a revision and version that is wanted."""
        return (self.revision is None or header.revision.startswith(self.revision)) and (
            self.version in (None, header.version)
        )

    def rows(self, block: Requests) -> Any:
        """Which requests of a block, as a mask; None where it is all of them."""
        began = np.asarray(block.began)
        mask = np.ones(len(began), dtype=bool)
        if self.since is not None:
            mask &= began >= self.since
        if self.until is not None:
            mask &= began <= self.until
        if self.role is not None:
            mask &= np.array([role == self.role for role in block.roles], dtype=bool)
        if self.id is not None:
            wanted = zip(block.ids, block.client_ids, strict=True)
            mask &= np.array([self.id in pair for pair in wanted], dtype=bool)
        return mask


@dataclass(frozen=True)
class Source:
    """One segment that may have some."""

    path: Path
    header: Header
    touched: float  # seconds since the epoch; nothing in it is newer


class Reader:
    """Reads what some segments have.

    `losses` counts by reason what they say was not kept; `unread` has the bytes at the end of each file that are no whole
    frame.
    """

    def __init__(self, paths: Iterable[Path], wish: Wish, labels: Labels | None = None) -> None:
        self._wish = wish
        self.losses: dict[str, int] = {}
        self.unread: dict[Path, int] = {}
        every = [source for path in paths if (source := self._source(path)) is not None]
        self.sources = [one for one in every if wish.takes_file(one.header, one.touched)]
        self._types = Types()
        for source in self.sources:
            self._types.take_header(source.header)
            self._glance(source)
        self._labels = labels or Labels()
        if wish.labels and labels is None:  # they come later, to any replica of the workload
            self._labels = labels_of(source.path for source in every)
        self.schema = self._schema()

    def tables(self) -> Iterator[pa.Table]:
        """The table in parts, one for each segment that has some."""
        for source in self.sources:
            parts = [self._table(source.header, block) for block in _requests(source.path)]
            parts = [part for part in parts if part.num_rows]
            if parts:
                yield pa.concat_tables(parts).combine_chunks()

    def table(self) -> pa.Table:
        """All of it, in the order of time."""
        parts = list(self.tables())
        whole = pa.concat_tables(parts) if parts else self.schema.empty_table()
        return whole.sort_by([("time", "ascending"), ("id", "ascending"), ("row", "ascending")])

    def _source(self, path: Path) -> Source | None:
        """What a segment says of itself; None where it was deleted, or its writer was killed before it said anything."""
        try:
            touched = path.stat().st_mtime
        except FileNotFoundError:
            return None
        first = next(iter(blocks.read(path, partial(self._ended, path))), None)
        return Source(path, first, touched) if isinstance(first, Header) else None

    def _glance(self, source: Source) -> None:
        """See what types its outputs and further fields have, and what it says was lost."""
        for block in blocks.read(source.path, partial(self._ended, source.path)):
            if isinstance(block, Requests):
                self._types.take_outputs(source.header, block)
            elif isinstance(block, Losses):
                for reason, count in block.reasons.items():
                    self.losses[reason] = self.losses.get(reason, 0) + count

    def _ended(self, path: Path, unread: int) -> None:
        if unread and not being_written(path):
            self.unread[path] = unread

    def _schema(self) -> pa.Schema:
        found = OWN | self._types.columns()
        if self._wish.labels:
            found |= {"label": self._labels.type(), "labelled": OWN["time"]}
        return pa.schema(list(found.items()))

    def _table(self, header: Header, block: Requests) -> pa.Table:
        mask = self._wish.rows(block)
        lines = _Lines(block, mask)
        if not lines.count:
            return self.schema.empty_table()
        made = self._own(header, block, lines)
        for name, values in _named("features", [one.name for one in header.features], block.features):
            made[name] = column(lines.of(values, lines.of_rows), self.schema.field(name).type)
        for name, values in _named("outputs", header.outputs, block.outputs):
            made[name] = column(lines.of(values, lines.of_answers), self.schema.field(name).type)
        for name, values in _named("extra", header.extra, block.extra):
            made[name] = column(lines.of(values, lines.of_rows), self.schema.field(name).type)
        if self._wish.labels:
            made |= self._labels.columns(
                made["id"].to_pylist(), made["client_id"].to_pylist(), lines.row.tolist()
            )
        nothing = pa.nulls(lines.count)
        filled = [
            made[field.name] if field.name in made else nothing.cast(field.type) for field in self.schema
        ]
        return pa.table(filled, schema=self.schema)

    def _own(self, header: Header, block: Requests, lines: _Lines) -> dict[str, pa.Array]:
        began = np.asarray(block.began)[lines.request]
        constants = {
            name: getattr(header, name)
            for name in ("workload", "environment", "revision", "version", "worker")
        }
        return {
            "time": pa.array((began * 1e6).astype(np.int64)).cast(OWN["time"]),
            "id": lines.each(block.ids),
            "row": pa.array(lines.row, OWN["row"]),
            "client_id": lines.each(block.client_ids),
            "role": lines.each(block.roles),
            "status": pa.array(np.asarray(block.statuses)[lines.request], OWN["status"]),
            "seconds": pa.array(np.asarray(block.seconds)[lines.request]),
        } | {name: pa.array([value] * lines.count, OWN[name]) for name, value in constants.items()}


class _Lines:
    """The lines of the table that a block makes: as many for each request as it has rows or answers, one at least."""

    def __init__(self, block: Requests, mask: Any) -> None:
        rows, answers = np.asarray(block.rows), np.asarray(block.answers)
        sizes = np.where(mask, np.maximum(1, np.maximum(rows, answers)), 0)
        self.count = int(sizes.sum())
        self.request = np.repeat(np.arange(len(sizes)), sizes)
        offsets = np.arange(self.count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        self.row = offsets + np.asarray(block.first)[self.request]
        self.of_rows = _places(rows, self.request, offsets)
        self.of_answers = _places(answers, self.request, offsets)

    def each(self, values: Sequence[str | None]) -> pa.Array:
        """A value of each request, for all of its lines."""
        return pa.array(values, pa.string()).take(pa.array(self.request))

    def of(self, values: Sequence[Any], places: Any) -> list[Any]:
        """The values at these places; None where there is none."""
        return [values[place] if place >= 0 else None for place in places.tolist()]


def _places(counts: Any, request: Any, offsets: Any) -> Any:
    """Where the value of each line stands in a column that has so many for each request; -1 where nowhere."""
    starts = np.cumsum(counts) - counts
    return np.where(offsets < counts[request], starts[request] + offsets, -1)


def _named(
    kind: str, names: Sequence[str], columns: Sequence[Sequence[Any]]
) -> Iterator[tuple[str, Sequence[Any]]]:
    """Columns with their names; those of a block that has none of them are left out."""
    return ((f"{kind}.{name}", values) for name, values in zip(names, columns, strict=False) if len(values))


def labels_of(paths: Iterable[Path]) -> Labels:
    """All labels in some segments."""
    labels = Labels()
    for path in paths:
        labels.take(path)
    return labels


def _requests(path: Path) -> Iterator[Requests]:
    return (block for block in blocks.read(path) if isinstance(block, Requests))


def events(paths: Iterable[Path]) -> Iterator[blocks.Event]:
    """All feedback, as it came."""
    for path in paths:
        for block in blocks.read(path):
            if isinstance(block, Events):
                yield from block.events
