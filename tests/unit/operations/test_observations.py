"""The newest observations are found without reading all that there are."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from recordings import record, recording

from loopwright.observations import reading
from loopwright.observations.segments import found
from loopwright.operations.observations import Wish, newest
from loopwright.state import StateFolder


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """Three segments, the last of each request's second."""
    folder = tmp_path / "observations/dev/titanic"
    for part in range(3):

        async def story(part: int = part) -> None:
            async with recording(folder, keep=1e12) as recorder:
                for number in range(4):
                    record(recorder, 10 * part + number)

        known = set(found(folder))
        asyncio.run(story())
        (made,) = set(found(folder)) - known
        os.utime(made, (1.7e9 + 10 * part + 5,) * 2)
    return StateFolder(tmp_path)


@pytest.mark.parametrize(("limit", "segments"), [(2, 1), (4, 1), (5, 2), (20, 3)])
def test_no_more_segments_are_read_than_needed(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch, limit: int, segments: int
) -> None:
    read = []
    table = reading.Reader.table

    def counted(self: reading.Reader) -> object:
        read.append(self)
        return table(self)

    monkeypatch.setattr(reading.Reader, "table", counted)
    told = newest(state, "titanic", None, Wish(), limit)
    every = [f"q-{10 * part + number}" for part in range(3) for number in range(4)]
    assert [row["id"] for row in told["observations"]] == every[-limit:]
    assert (len(read), told["more"]) == (segments, limit < 12)
