"""A recorder on a folder of its own, and what it left there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loopwright.observations import blocks
from loopwright.observations.blocks import Block, Column
from loopwright.observations.frames import frame
from loopwright.observations.recording import Recorder, Subject, Terms
from loopwright.observations.segments import found

COLUMNS = (Column("age", "number"), Column("sex", "string"))


@dataclass
class Said:
    """A log that keeps what it is told."""

    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def info(self, action: str, /, **fields: object) -> None:
        self.lines.append((action, fields))

    def warning(self, action: str, /, **fields: object) -> None:
        self.lines.append((action, fields))

    def actions(self) -> list[str]:
        return [action for action, _ in self.lines]


def subject(**more: Any) -> Subject:
    values = {"workload": "titanic", "environment": "dev", "revision": "r1", "columns": COLUMNS}
    values |= {"outputs": ("prediction",)}
    return Subject(**(values | more))


@asynccontextmanager
async def recording(
    folder: Path, log: Said | None = None, about: Subject | None = None, **terms: Any
) -> AsyncIterator[Recorder]:
    """A recorder that has written everything when this ends."""
    recorder = Recorder(about or subject(), Terms(folder=folder / "r1", **terms), log or Said())
    running = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        await recorder.close()
        await running


def record(recorder: Recorder, number: int = 1, rows: Any = ((30.0, "male"),), **more: Any) -> None:
    """One request, plain unless told."""
    values = {
        "request_id": f"q-{number}", "client_id": None, "role": "live", "began": 1.7e9 + number, "seconds": 0.01,
        "status": 200, "rows": rows and list(rows), "answers": [[1] * len(rows or ())],
    }  # fmt: skip
    recorder.record(**(values | more))


def header(**more: Any) -> bytes:
    """The first frame of a segment."""
    values = {"workload": "titanic", "environment": "dev", "revision": "r1", "worker": "w", "began": 0.0}
    values |= {"keep": 1e9, "max_bytes": 10**9}
    return frame(blocks.encode(blocks.Header(**(values | more))))


def left(folder: Path) -> Iterator[Block]:
    """All blocks in a workload's folder."""
    for path in found(folder):
        yield from blocks.read(path)


def kept(folder: Path, kind: type[Any]) -> list[Any]:
    """The blocks of one kind."""
    return [block for block in left(folder) if isinstance(block, kind)]
