"""What goes of a workload's observations: segments older than they may be kept, and the oldest where all take too much.

Any replica does it for all replicas of its workload in its environment, the ended ones and other revisions too, and
`loopwright clean` does it for workloads of which nothing runs. A segment that is being written is never taken.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loopwright.observations import blocks
from loopwright.observations.blocks import Header
from loopwright.observations.segments import being_written, found


@dataclass(frozen=True)
class Segment:
    """A file as a look at the disk found it."""

    path: Path
    size: int  # bytes
    touched: float  # seconds since the epoch; nothing in it is newer


def look(workload: Path) -> list[Segment]:
    """The segments of a workload in an environment, the oldest first."""
    segments = []
    for path in found(workload):
        with suppress(FileNotFoundError):  # another replica was faster
            info = path.stat()
            segments.append(Segment(path, info.st_size, info.st_mtime))
    return sorted(segments, key=lambda segment: (segment.touched, segment.path))


def expired(segments: list[Segment], keep: float, max_bytes: int, now: float) -> list[Segment]:
    """Those that must go, of segments in the order of their age: older than `keep` seconds, or the oldest of too many bytes."""
    left = sum(segment.size for segment in segments)
    going = []
    for segment in segments:
        if segment.touched >= now - keep and left <= max_bytes:
            break
        going.append(segment)
        left -= segment.size
    return going


def due(workload: Path, keep: float, max_bytes: int, now: float) -> list[Segment]:
    """Those of a workload that have expired and are not being written."""
    going = expired(look(workload), keep, max_bytes, now)
    return [segment for segment in going if not being_written(segment.path)]


def due_by_itself(workload: Path, now: float) -> list[Segment]:
    """As `due`, by what the newest segment says may be kept; none where it cannot be read."""
    segments = look(workload)
    header = next(iter(blocks.read(segments[-1].path)), None) if segments else None
    if not isinstance(header, Header):
        return []
    return due(workload, header.keep, header.max_bytes, now)


def remove(segments: list[Segment]) -> None:
    """Delete them, and folders that are empty then. Raises OSError where the disk refuses."""
    for segment in segments:
        segment.path.unlink(missing_ok=True)
    for worker in {segment.path.parent for segment in segments}:
        with suppress(OSError):  # not empty, or gone already
            worker.rmdir()
            worker.parent.rmdir()
