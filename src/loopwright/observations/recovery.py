"""All panes of some segments, those too that a worker was killed before it wrote: they are made again from its rows.

A block of requests names the pane that counts it. Where its worker is dead and that pane is not there, the same code
counts the rows into the same bins, which the segment's header has. Rows that the sampling rate left out are not in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from loopwright.observations import bins, blocks
from loopwright.observations.blocks import Header, Pane, Requests
from loopwright.observations.panes import Opened, Shape
from loopwright.observations.segments import being_written


def panes(paths: Iterable[Path]) -> Iterator[tuple[Header, Pane]]:
    """Each pane once or more (see `panes.Distribution`), with a header of its worker."""
    workers: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        workers[path.parent].append(path)
    for segments in workers.values():
        yield from _of_worker(sorted(segments))


def _of_worker(segments: list[Path]) -> Iterator[tuple[Header, Pane]]:
    header: Header | None = None
    written: set[int] = set()
    counted: set[int] = set()
    lives = any(being_written(path) for path in segments)
    for path in segments:
        for block in blocks.read(path):
            if isinstance(block, Header):
                header = block
            elif isinstance(block, Requests):
                counted.add(block.pane)
            elif isinstance(block, Pane) and header is not None:
                written.add(block.sequence)
                yield header, block
    lost = counted - written
    if lost and not lives and header is not None:
        yield from ((header, pane) for pane in _again(header, segments, lost))


def _again(header: Header, segments: list[Path], lost: set[int]) -> Iterator[Pane]:
    baseline = bins.decode(header.bins) if header.bins else None
    shape = Shape(baseline, header.features)
    opened = {number: Opened(header.worker, header.baseline, shape, number) for number in sorted(lost)}
    for path in segments:
        for block in blocks.read(path):
            if isinstance(block, Requests) and block.pane in opened:
                _count(opened[block.pane], header, block)
    yield from (one.pane() for one in opened.values() if not one.empty)


def _count(pane: Opened, header: Header, block: Requests) -> None:
    """Take in the answered requests of a block, one by one: this happens once after a crash."""
    row = answer = 0
    for place, status in enumerate(block.statuses):
        rows, answers = block.rows[place], block.answers[place]
        if 200 <= status < 300:
            pane.cover(block.began[place : place + 1])
            for column, values in zip(header.features, block.features, strict=False):
                pane.feature(block.roles[place], column.name, values[row : row + rows])
            for name, values in zip(header.outputs, block.outputs, strict=False):
                pane.output(block.roles[place], name, values[answer : answer + answers])
        row += rows
        answer += answers
