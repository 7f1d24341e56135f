"""Gathering: requests as the front records them, a tuple each, turned into columns.

Columns are what is written, what is counted, and what is read; turning them costs a fraction of a microsecond a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from loopwright.observations import prediction
from loopwright.observations.recording import Record

AT_ONCE = 512  # rows, or KiB of answers to be read; about half a millisecond of work
_BYTES = 256 * 1024  # of a part, where rows are long texts


class Gathered(NamedTuple):
    """Some requests as columns; see `blocks.Requests`."""

    ids: Sequence[str]
    client_ids: Sequence[str | None]
    roles: Sequence[str]
    began: Sequence[float]
    seconds: Sequence[float]
    statuses: Sequence[int]
    first: Sequence[int]
    rows: Sequence[int]
    answers: Sequence[int]
    features: Sequence[Sequence[Any]]
    outputs: Sequence[Sequence[Any]]
    extra: Sequence[Sequence[Any]]


class Gatherer:
    """Knows the columns: `kept` are the places in a row of the inputs that may be kept."""

    def __init__(self, kept: Sequence[int], outputs: int, extra: int, paths: Sequence[str]) -> None:
        self._kept = kept
        self._outputs = outputs
        self._extra = extra
        self._paths = paths
        self._most = AT_ONCE

    def adapt(self, size: int, rows: int) -> None:
        """Make the next parts as small as they must be, given the bytes of one of so many rows."""
        self._most = max(1, min(AT_ONCE, _BYTES * rows // max(1, size)))

    def parts(self, records: Sequence[Record]) -> Iterator[list[Record]]:
        """The records in parts of some hundred rows; a request with more is cut."""
        part: list[Record] = []
        work = 0
        for record in records:
            if record[10] > self._most and record[6] is not None:
                yield from ([piece] for piece in self._pieces(record))
                continue
            part.append(record)
            work += record[10]
            if work >= self._most:
                yield part
                part, work = [], 0
        if part:
            yield part

    def gather(self, records: Sequence[Record]) -> Gathered:
        """Their columns. Raises ValueError where rows or answers are not as wide as they should be."""
        ids, clients, roles, began, seconds, statuses, rows, answers, extra, first, _, _ = zip(
            *records, strict=True
        )
        if bytes in set(map(type, answers)):
            answers = self._all_read(answers, rows)
        features = _columns(chain.from_iterable(filter(None, rows)))
        return Gathered(
            ids, clients, roles, began, seconds, statuses, first,
            [len(one) if one else 0 for one in rows],
            [len(one[0]) if one else 0 for one in answers],
            [features[place] for place in self._kept] if features else [()] * len(self._kept),
            self._joined(answers),
            self._extras(extra, rows),
        )  # fmt: skip

    def _all_read(self, answers: Sequence[Any], rows: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            self._read(answer, row) if isinstance(answer, bytes) else answer
            for answer, row in zip(answers, rows, strict=True)
        )

    def _read(self, answer: bytes, rows: Any) -> list[list[Any]]:
        return prediction.read(answer, None if rows is None else len(rows), self._paths)

    def _joined(self, answers: Sequence[Any]) -> list[list[Any]]:
        found = [one for one in answers if one]
        return [list(chain.from_iterable(one[place] for one in found)) for place in range(self._outputs)]

    def _extras(self, extra: Sequence[Any], rows: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """One value for each row, None where a request has none."""
        if not self._extra:
            return ()
        nothing = (None,) * self._extra
        filled = [(own or [nothing] * len(row)) if row else () for own, row in zip(extra, rows, strict=True)]
        return _columns(chain.from_iterable(filled)) or [()] * self._extra

    def _pieces(self, record: Record) -> Iterator[Record]:
        rows, answers, extra = record[6] or (), record[7], record[8]
        if isinstance(answers, bytes):
            answers = self._read(answers, rows)
        size = self._most
        for start in range(0, len(rows), size):
            end = start + size
            columns = [column[start:end] for column in answers] if answers else None
            more = extra[start:end] if extra else None
            yield (*record[:6], rows[start:end], columns, more, start, 0, 0)


def _columns(rows: Any) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))
