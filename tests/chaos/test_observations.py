"""What is recorded outlives a SIGKILL, and a full disk costs observations and nothing else."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from disks import disk, fill
from recordings import Said, kept, record, recording

from loopwright.observations import keeping, recovery
from loopwright.observations.blocks import Event, Losses, Requests
from loopwright.observations.panes import Distribution
from loopwright.observations.segments import found

pytestmark = pytest.mark.chaos
__all__ = ["disk"]
_PROCESS = Path(__file__).parents[1] / "support" / "recording_process.py"


def test_what_counted_as_written_is_there_after_a_sigkill(tmp_path: Path) -> None:
    command = [sys.executable, str(_PROCESS), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(4):
            written, dropped = map(int, process.stdout.readline().split())
        process.send_signal(signal.SIGKILL)
    ids = [name for block in kept(tmp_path, Requests) for name in block.ids]
    assert ids == [f"q-{number}" for number in range(len(ids))]
    assert len(ids) >= written + dropped  # what came too late is there too
    total = Distribution("")
    for _, pane in recovery.panes(found(tmp_path)):
        total.add(pane)
    assert total.features()["age"].count == len(ids)


def test_a_full_disk_costs_observations_until_there_is_room(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "DURABLE", 60.0)

    async def story(said: Said) -> tuple[int, dict[str, int]]:
        async with recording(disk, said) as recorder:
            record(recorder, 1)
            assert await recorder.feedback([Event(1.0, id="q-1", label=1)])
            ballast = fill(disk)
            record(recorder, 2, [(1.0, "x" * 100_000)])
            assert not await recorder.feedback([Event(1.0, id="q-2", label=1)])
            ballast.unlink()
            record(recorder, 3)
            assert await recorder.feedback([Event(1.0, id="q-3", label=1)])
        return recorder.written, dict(recorder.losses)

    written, lost = asyncio.run(story(said := Said()))
    assert (written, lost) == (4, {"disk": 2})
    assert [name for block in kept(disk, Requests) for name in block.ids] == ["q-1", "q-3"]
    assert [block.reasons for block in kept(disk, Losses)] == [{"disk": 2}]
    assert said.actions() == ["observations-dropped", "observations-resumed"]
    assert "No space left" in str(said.lines[0])
