"""Who cleans, and when: a person by `loopwright clean`, and the control plane itself, as settings.json says.

{"clean": {"every": "1d", "older_than": "30d"}}      these are the defaults; `"every": "never"` leaves it to people
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from loopwright.errors import LoopwrightError, MachineError, UsageError
from loopwright.log import logger
from loopwright.loop.book import Book
from loopwright.loop.recorder import US
from loopwright.loop.retention import Policy
from loopwright.operations.cleaning import Cleaner, Removed
from loopwright.spec.units import Duration, show_duration

__all__ = ["Housekeeper", "Settings", "clean", "settings"]

_FIRST = (
    300.0  # seconds from the start of a control plane to its first look: there is enough to do at a start
)
_MOST_TOLD = 1000  # things that an answer names one by one
_log = logger("clean")


@dataclass(frozen=True)
class Settings:
    """When the control plane cleans by itself; `every` None: never."""

    every: float | None = 86400.0  # seconds
    policy: Policy = field(default_factory=Policy)


def settings(file: Path) -> Settings:
    """What settings.json says of cleaning. Raises MachineError where that is not what it should be."""
    try:
        given = json.loads(file.read_bytes()).get("clean", {})
    except (FileNotFoundError, ValueError, AttributeError):  # the ports say what is wrong with the file
        return Settings()
    unknown = set(given) - {"every", "older_than"} if isinstance(given, dict) else {"clean"}
    if unknown:
        raise MachineError(
            f'{file}: clean: found {json.dumps(given)}, expected such as {{"every": "1d", "older_than": "30d"}}. Mend it.'
        )
    seconds = {name: _seconds(text) for name, text in given.items()}
    never = given.get("every") == "never"
    for name, found in seconds.items():
        if (found is None and not (never and name == "every")) or (name == "every" and found == 0):
            raise MachineError(
                f"{file}: clean.{name}: found {json.dumps(given[name])}, expected a duration such as 30d. Mend it."
            )
    older_than = seconds.get("older_than")
    policy = Policy() if older_than is None else Policy(older_than=older_than)
    return Settings(None if never else seconds.get("every", Settings.every), policy)


def _seconds(text: object) -> float | None:
    try:
        return float(TypeAdapter(Duration).validate_python(text))
    except ValidationError:
        return None


def clean(
    cleaner: Cleaner, book: Book, default: Settings, older_than: str | None, dry_run: bool, actor: str
) -> dict[str, Any]:
    """Clean because somebody asks for it; says what went, or would go. Raises UsageError for a duration that is none."""
    policy = default.policy
    if older_than is not None:
        seconds = _seconds(older_than)
        if seconds is None:
            raise UsageError(f"--older-than: found {older_than!r}, expected a duration such as 30d or 12h.")
        policy = Policy(older_than=seconds)
    removed = cleaner.clean(policy, dry_run, time.time())
    if not dry_run:
        _record(book, policy, removed, actor)
    told = sorted(removed, key=lambda one: -one.size)[:_MOST_TOLD]
    return _summary(policy, removed) | {
        "dry_run": dry_run,
        "items": [{"kind": one.item.kind, "name": one.item.name, "bytes": one.size} for one in told],
    }


def _summary(policy: Policy, removed: list[Removed]) -> dict[str, Any]:
    return {
        "older_than": show_duration(policy.older_than),
        "removed": dict(Counter(one.item.kind for one in removed)),
        "bytes": sum(one.size for one in removed),
    }


def _record(book: Book, policy: Policy, removed: list[Removed], actor: str) -> None:
    book.append("state.cleaned", "", "", _summary(policy, removed), actor, time.time())


class Housekeeper:
    """Cleans every now and then in a thread of its own."""

    def __init__(self, cleaner: Cleaner, book: Book, given: Settings) -> None:
        self.settings = given
        self._cleaner, self._book = cleaner, book
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clean", daemon=True)

    def start(self) -> None:
        """Begin, where it is wanted at all."""
        if self.settings.every is not None:
            self._thread.start()

    def stop(self) -> None:
        """End; a cleaning under way is completed."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        wait = min(_FIRST, self.settings.every or 0.0)
        while not self._over.wait(wait):
            self.once()
            wait = self.settings.every or 0.0

    def once(self, clock: Callable[[], float] = time.time) -> None:
        """Clean, and record it where something went; the root of this thread."""
        try:
            removed = self._cleaner.clean(self.settings.policy, False, clock())
            if removed:
                _record(self._book, self.settings.policy, removed, US)
        except LoopwrightError as error:
            _log.warning("not cleaned", extra={"action": "clean", "error": error.message})
        except Exception:
            _log.exception("cleaning failed", extra={"action": "clean"})
