"""What a replica keeps of the requests it answers, and whether it can: a recorder, and what operators are told of it."""

from __future__ import annotations

import time
from pathlib import Path

from loopwright.observations.blocks import Column
from loopwright.observations.recording import Recorder, Subject, Terms
from loopwright.scoring.address import Address
from loopwright.scoring.logs import Log
from loopwright.scoring.settings import Settings

_RECENT = 60.0  # seconds for which a loss is worth telling


def recorder(settings: Settings, place: Path | Address, log: Log) -> Recorder | None:
    """The recorder that serving.json asks for; its worker is named after the replica's socket."""
    wanted = settings.observations
    if wanted is None:
        return None
    baseline = Path(settings.package) / "baseline.json"
    subject = Subject(
        workload=settings.workload,
        environment=settings.environment,
        revision=settings.revision,
        version=settings.version,
        columns=tuple(Column(one.name, one.type) for one in settings.inputs or ()),
        outputs=tuple(one.name for one in settings.outputs or ()),
        baseline=baseline if baseline.is_file() else None,
    )
    inputs = [one.name for one in settings.inputs or ()]
    terms = Terms(
        folder=Path(wanted.folder),
        rate=wanted.rate,
        exclude=wanted.exclude,
        extra=tuple(name for name in dict.fromkeys(wanted.extra) if name not in inputs),  # as rows are read
        segment_bytes=wanted.segment_bytes,
        keep=wanted.keep,
        max_bytes=wanted.max_bytes,
        prediction=wanted.prediction,
        probability=wanted.probability,
    )
    return Recorder(subject, terms, log, place.stem if isinstance(place, Path) else "replica")


class Losses:
    """Whether requests were lost to the record of late; to be asked now and then."""

    def __init__(self, kept: Recorder | None) -> None:
        self._kept = kept
        self._seen = 0
        self._at = -_RECENT

    def message(self) -> str:
        """What an operator should know; empty where nothing was lost in the last minute."""
        if self._kept is None:
            return ""
        now, dropped = time.monotonic(), self._kept.dropped
        if dropped > self._seen:
            self._seen, self._at = dropped, now
        if now - self._at >= _RECENT:
            return ""
        why = ", ".join(f"{reason}: {count}" for reason, count in sorted(self._kept.losses.items()))
        return f"observations are being lost ({why}), see the replica's log"
