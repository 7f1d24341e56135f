"""Cleaning: what is old and nobody needs goes, so that a state folder does not grow for ever.

What is selected is decided in `loop.retention`. What goes is first moved to one folder, while nothing can be decided, and
only then removed: a change that is asked for meanwhile finds a thing whole or not at all, and makes again what is not there.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loopwright.catalog.copying import remove_folder
from loopwright.catalog.store import KINDS as STORED
from loopwright.engines.base import EngineReport
from loopwright.errors import ConflictError
from loopwright.loop.case import Services
from loopwright.loop.driver import Driver
from loopwright.loop.retention import Item, Policy, condemned, digests, needed, reachable
from loopwright.observations import ageing
from loopwright.training import drop_locks

__all__ = ["Cleaner", "Removed"]

_ENVIRONMENT = re.compile(r"environments/([0-9a-f]{16})/")  # in the path of an interpreter


@dataclass(frozen=True)
class Removed:
    """What went, or would go."""

    item: Item
    size: int  # bytes


@dataclass(frozen=True)
class _Needs:
    """What is needed at one moment."""

    digests: frozenset[str]
    living: frozenset[str]  # names of jobs, replica sets and Python environments


class Cleaner:
    """Cleans one state folder; one cleaning at a time."""

    def __init__(self, services: Services, driver: Driver) -> None:
        self._services, self._driver = services, driver
        self._state, self._store = services.state, services.store
        self._one = threading.Lock()

    def clean(self, policy: Policy, dry: bool, now: float) -> list[Removed]:
        """Remove what is old and not needed, or only say what that is; `now` in seconds since the epoch.

        Raises ConflictError where another is at it, or where the clock was set a moment ago: nobody knows how old things are.
        """
        self._require_trusted_clock(policy, now)
        if not self._one.acquire(blocking=False):
            raise ConflictError("Another cleaning is under way; try again when it has ended.")
        try:
            self._empty()
            needs, items = self._needs(policy, now), list(self._items())
            marked = reachable(needs.digests, self._store.parts)
            found = condemned(items, marked, needs.living, policy, now)
            if dry:
                return [Removed(item, _size(self._path(item))) for item in found] + self._aged(now)
            gone = self._take_away(items, marked, policy, now)
            removed = [Removed(item, _size(path)) for item, path in gone] + self._age(now)
            self._empty()
            drop_locks(self._state.environments)
            return removed
        finally:
            self._one.release()

    def _require_trusted_clock(self, policy: Policy, now: float) -> None:
        book = self._services.book
        with book.locked():
            book.note_clock(now)
            step = book.view.mark("clock.stepped", "")
            since = book.view.elapsed(step, now) if step is not None else policy.grace
        if step is not None and since < policy.grace:
            raise ConflictError(
                f"The clock was set by {step.body['seconds']:g} s, {since:.0f} s ago, so the age of things cannot be told. "
                f"Try again in {policy.grace - since:.0f} s."
            )

    def _needs(self, policy: Policy, now: float) -> _Needs:
        report, book = self._services.engine.report(), self._services.book
        with book.locked():
            outputs = [
                self._driver.look(change, report, report.routes_accepted)[0].outputs
                for change in self._driver.watched()
            ]
            named = needed(book.view, outputs, policy, now)
        told = self._told(report)
        living = {*report.jobs, *report.replica_sets, *_ENVIRONMENT.findall(told)}
        return _Needs(named | digests(told), frozenset(living))

    def _told(self, report: EngineReport) -> str:
        """What replicas and jobs were told to use: also those of a revision on its way out, and jobs that nobody wants."""
        ends = [name.rpartition("--")[2] for name in report.replica_sets]
        files = [file for end in ends for file in self._state.revisions.glob(f"{end}*/serving.json")]
        files += [self._state.jobs / job / name for job in report.jobs for name in ("input.json", "job.json")]
        texts = []
        for file in files:
            with suppress(OSError):
                texts.append(file.read_text(errors="replace"))
        return "\n".join(texts)

    def _items(self) -> Iterator[Item]:
        for kept in self._store.kept():
            yield Item(kept.kind, kept.name, kept.touched)
        for kind in ("environments", "revisions", "jobs"):
            for folder in (self._state.root / kind).glob("[!.]*/"):
                with suppress(FileNotFoundError):
                    yield Item(kind, folder.name, folder.stat().st_mtime)

    def _path(self, item: Item) -> Path:
        if item.kind in STORED:
            return self._store.place(item.kind, item.name)
        return self._state.root / item.kind / item.name

    def _take_away(
        self, items: list[Item], marked: frozenset[str], policy: Policy, now: float
    ) -> list[tuple[Item, Path]]:
        """Move it aside while no change can be asked for and none be decided on, after a last look at what is needed."""
        gone = []
        with self._services.book.locked():
            needs = self._needs(policy, now)
            late = reachable(needs.digests - marked, self._store.parts)
            for item in condemned(items, marked | late, needs.living, policy, now):
                to = self._state.trash / secrets.token_hex(16)
                if self._move(item, to, now - policy.grace):
                    gone.append((item, to))
        return gone

    def _move(self, item: Item, to: Path, before: float) -> bool:
        if item.kind in STORED:
            return self._store.take_away(item.kind, item.name, before, to)
        try:
            self._path(item).rename(to)
        except FileNotFoundError:
            return False
        return True

    def _aged(self, now: float) -> list[Removed]:
        """Observations of which no more may be kept; a replica that runs sees to them itself."""
        return [removed for removed, _ in self._due(now)]

    def _age(self, now: float) -> list[Removed]:
        found = self._due(now)
        ageing.remove([segment for _, segment in found])
        return [removed for removed, _ in found]

    def _due(self, now: float) -> list[tuple[Removed, ageing.Segment]]:
        folder = self._state.observations
        due = [one for workload in folder.glob("*/*/") for one in ageing.due_by_itself(workload, now)]
        return [
            (Removed(Item("observations", str(one.path.relative_to(folder)), one.touched), one.size), one)
            for one in due
        ]

    def _empty(self) -> None:
        """Remove what was moved aside, now or by one who was killed at it."""
        self._state.trash.mkdir(mode=0o700, exist_ok=True)
        for left in self._state.trash.iterdir():
            if left.is_dir() and not left.is_symlink():
                remove_folder(left)
            else:
                left.unlink(missing_ok=True)


def _size(path: Path) -> int:
    """Bytes that its removal frees: a file that stands elsewhere too (a hard link) counts nothing."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if not one.is_symlink()]
    freed = 0
    for file in files:
        with suppress(FileNotFoundError):
            info = file.lstat()
            freed += info.st_size if file.is_file() and info.st_nlink == 1 else 0
    return freed
