"""What goes of a workload's observations: segments older than they may be kept, and the oldest where all take too much.

Any replica does it for all replicas of its workload in its environment, the ended ones and other revisions too, and
`loopwright clean` does it for workloads of which nothing runs. A segment that is being written is never taken.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

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


def sweep(workload: Path, keep: float, max_bytes: int, now: float) -> list[Segment]:
    """Delete what has expired; returns what went. Raises OSError where the disk refuses."""
    gone = []
    for segment in expired(look(workload), keep, max_bytes, now):
        if not being_written(segment.path):
            segment.path.unlink(missing_ok=True)
            gone.append(segment)
    for worker in {segment.path.parent for segment in gone}:
        with suppress(OSError):  # not empty, or gone already
            worker.rmdir()
            worker.parent.rmdir()
    return gone
