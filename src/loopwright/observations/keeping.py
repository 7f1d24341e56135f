"""Keeping: what the recorder's thread does with the requests that have gathered. Imports NumPy and the sketches.

One round: turn the requests into frames, write them, wait for the disk, and only then count them into the pane. A pane
that is due goes with the frames of a round; where the disk refuses, it stays open and is tried again.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec

from loopwright.errors import IntegrityError
from loopwright.observations import ageing, bins, panes
from loopwright.observations.blocks import Event, Events, Header, Losses, encode
from loopwright.observations.frames import frame
from loopwright.observations.framing import Framer
from loopwright.observations.gathering import Gathered, Gatherer
from loopwright.observations.recording import DURABLE, Log, Record, Subject, Terms
from loopwright.observations.segments import Writer

_PAUSE = 0.0003  # seconds after each piece of work, in which the event loop gets its turn
_TOGETHER = 8  # parts that are counted at once: NumPy takes as long for one as for several
_UNHURRIED = 0.2  # seconds of a round in which there are such pauses
_SWEEP = 60.0  # seconds between two looks at what may go
_TELL = 60.0  # seconds between two log lines about the same trouble
_DAY = 86400.0


class Outcome(NamedTuple):
    """What became of a round."""

    written: int
    losses: Counter[str]
    durable: bool  # whether the disk has it, in time or late


class Keeper:
    """Keeps what one recorder takes; used by one thread."""

    def __init__(self, subject: Subject, terms: Terms, worker: str, log: Log) -> None:
        self._terms, self._log = terms, log
        self._clock = time.time() - time.monotonic()
        baseline = _without(_baseline(subject.baseline, log), terms.exclude)
        places = [place for place, one in enumerate(subject.columns) if one.name not in terms.exclude]
        kept = tuple(subject.columns[place] for place in places)
        self._names = [column.name for column in kept]
        self._outputs = subject.outputs or tuple(terms.paths)
        paths = tuple(terms.paths.values())
        self._gatherer = Gatherer(places, len(self._outputs), len(terms.extra), paths)
        self._framer = Framer(self._gatherer, terms.rate, self._tell)
        content = bins.encode(baseline) if baseline else b""
        self._header = Header(
            workload=subject.workload,
            environment=subject.environment,
            revision=subject.revision,
            version=subject.version,
            worker=worker,
            began=0.0,
            features=kept,
            outputs=self._outputs,
            extra=terms.extra,
            rate=terms.rate,
            keep=terms.keep,
            max_bytes=terms.max_bytes,
            baseline=hashlib.sha256(content).hexdigest()[:16] if content else "",
            bins=content,
        )
        self._shape = panes.Shape(baseline, kept)
        self._pane = panes.Opened(worker, self._header.baseline, self._shape, 0)
        now = time.monotonic()
        self._pane_began, self._segment_began, self._swept = now, now, 0.0
        self._writer = Writer(terms.folder / worker, terms.segment_bytes, self._begin)
        self._untold: Counter[str] = Counter()
        self._unhurried_until = 0.0
        self._told: dict[str, float] = {}

    def keep(self, records: list[Record], events: list[Sequence[Event]], since: float, last: bool) -> Outcome:
        """One round; `since`: the monotonic second after which all of these came; `last`: none comes after it."""
        losses: Counter[str] = Counter()
        self._unhurried_until = time.monotonic() + _UNHURRIED
        parts, content, requests = self._framer.frame(records, self._pane.sequence, losses, self._pause)
        written = requests + sum(map(len, events))
        if events:
            content.append(frame(encode(Events([event for some in events for event in some]))))
        kept = self._write_with_pane(content)
        if written and (not kept or time.monotonic() - since > DURABLE):
            losses["late" if kept else "disk"] += written
            written = 0
        self._count(parts)
        self._note(losses)
        self._sweep()
        if last:
            self._end()
        return Outcome(written, losses, kept)

    def overflowed(self, lost: int) -> None:
        """So many more did not fit into memory, so that they never came here."""
        if lost:
            self._untold["memory"] += lost
            self._tell("memory")

    def _write_with_pane(self, content: list[bytes]) -> bool:
        """Whether all of it is on the disk; the pane goes with it where it is due."""
        due = not self._pane.empty and time.monotonic() - self._pane_began >= panes.SECONDS
        if due:
            content.append(frame(encode(self._pane.pane())))
        if not content:
            return True
        kept = self._write(content)
        if kept and due:
            self._next_pane()
        return kept

    def _write(self, content: list[bytes]) -> bool:
        """Whether it is on the disk."""
        now = time.monotonic()
        if now - self._segment_began > min(_DAY, self._terms.keep / 10):
            self._writer.seal()  # so that what is old can go
        untold = Counter(self._untold)
        if untold:
            content.append(frame(encode(Losses(time.time(), dict(untold)))))
        try:
            self._writer.append(content)
            self._writer.sync()
        except OSError as error:
            self._tell("disk", folder=str(self._terms.folder), error=str(error))
            return False
        self._untold -= untold
        if self._told.pop("disk", None) is not None:
            self._log.info("observations-resumed", folder=str(self._terms.folder))
        return True

    def _begin(self) -> bytes:
        self._segment_began = time.monotonic()
        header = self._header
        values = {name: getattr(header, name) for name in header.__struct_fields__} | {"began": time.time()}
        return frame(encode(Header(**values)))

    def _end(self) -> None:
        """Write the last pane; where that fails, the rows are there to make it again."""
        if not self._pane.empty:
            self._write([frame(encode(self._pane.pane()))])
        self._writer.seal()

    def _next_pane(self) -> None:
        sequence = self._pane.sequence + 1
        self._pane = panes.Opened(self._header.worker, self._header.baseline, self._shape, sequence)
        self._pane_began = time.monotonic()

    def _count(self, parts: list[tuple[list[Record], Gathered]]) -> None:
        """Take the answered requests into the pane, by role, some thousand at a time."""
        by_role: dict[str, list[Gathered]] = {}
        for part, gathered in parts:
            for role, own in self._answered(part, gathered):
                by_role.setdefault(role, []).append(own)
        for role, several in by_role.items():
            for start in range(0, len(several), _TOGETHER):
                self._fold(role, several[start : start + _TOGETHER])

    def _answered(self, part: list[Record], gathered: Gathered) -> Iterator[tuple[str, Gathered]]:
        statuses = gathered.statuses
        if len(set(gathered.roles)) == 1 and min(statuses) >= 200 and max(statuses) < 300:  # as nearly always
            yield gathered.roles[0], gathered
            return
        answered = [record for record in part if 200 <= record[5] < 300]
        for role in {record[2] for record in answered}:
            yield role, self._gatherer.gather([record for record in answered if record[2] == role])

    def _fold(self, role: str, several: list[Gathered]) -> None:
        for one in several:
            self._pane.cover(one.began)
        for place, name in enumerate(self._names):
            values = list(chain.from_iterable(one.features[place] for one in several))
            self._pane.feature(role, name, values)
            self._pause()
        for place, name in enumerate(self._outputs):
            values = list(chain.from_iterable(one.outputs[place] for one in several))
            self._pane.output(role, name, values)
            self._pause()

    def _pause(self) -> None:
        """Let the event loop have its turn; not where the machine is so busy that this would cost observations."""
        if time.monotonic() < self._unhurried_until:
            time.sleep(_PAUSE)

    def _note(self, losses: Counter[str]) -> None:
        self._untold += losses
        if losses["late"]:
            self._tell("late", observations=losses["late"])

    def _tell(self, trouble: str, **more: object) -> None:
        """One line in the log, and no other about the same within a minute."""
        now = time.monotonic()
        if trouble not in self._told or now - self._told[trouble] >= _TELL:
            self._told[trouble] = now
            self._log.warning("observations-dropped", reason=trouble, dropped=dict(self._untold), **more)

    def _sweep(self) -> None:
        now = time.monotonic()
        if now - self._swept < _SWEEP:
            return
        self._swept = now
        terms = self._terms
        try:
            gone = ageing.due(terms.folder.parent, terms.keep, terms.max_bytes, self._trusted())
            ageing.remove(gone)
        except OSError as error:
            self._tell("sweep", error=str(error))
            return
        if gone:
            self._log.info("observations-aged", segments=len(gone), bytes=sum(one.size for one in gone))

    def _trusted(self) -> float:
        """The time by which things may go: a clock that was set, forward or back, must make nothing old."""
        return min(time.time(), self._clock + time.monotonic())


def _without(baseline: bins.Baseline | None, excluded: Sequence[str]) -> bins.Baseline | None:
    """The bins tell values of the training rows, so those of a column that must not be kept are left out too."""
    if baseline is None or not excluded:
        return baseline
    features = {name: one for name, one in baseline.features.items() if name not in excluded}
    return msgspec.structs.replace(baseline, features=features)


def _baseline(path: Path | None, log: Log) -> bins.Baseline | None:
    if path is None:
        return None
    try:
        return bins.decode(path.read_bytes())
    except (OSError, IntegrityError) as error:
        log.warning("observations-unbinned", baseline=str(path), error=str(error))
        return None
