"""The ledger with its view: the only way that the loop writes facts, and the order in which it learns of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from loopwright.errors import TemporaryError
from loopwright.ledger import Fact, Ledger
from loopwright.log import logger
from loopwright.loop.clock import ClockWatch
from loopwright.loop.lineage.chronicle import Chronicle
from loopwright.loop.view import View

_log = logger("loop")


class Book:
    """Appends facts and has the view and the chronicle take them in. Safe to use from several threads."""

    def __init__(self, ledger: Ledger, watch: ClockWatch | None = None) -> None:
        """`watch` tells when the clock is set: that is recorded before whatever comes next."""
        self.ledger = ledger
        self._watch = watch
        self.view = View()
        self.chronicle = Chronicle()  # the same facts, for who asks what was
        self._lock = threading.RLock()
        self._behind = False  # whether the ledger may hold facts that were not taken in
        for fact in ledger.facts():
            self._take_in(fact)

    def append(
        self, kind: str, workload: str, key: str, body: dict[str, Any], actor: str, now: float
    ) -> Fact:
        """Append a fact; returns once it is durable."""
        with self._lock:
            self._require_in_step()
            self.note_clock(now)
            fact = self.ledger.append(kind, workload, key, body, actor, now)
            self._take_in(fact)
            return fact

    def append_once(
        self, kind: str, workload: str, key: str, body: dict[str, Any], actor: str, now: float
    ) -> Fact:
        """Append a fact unless one of this kind, workload and key stands already; returns that one."""
        with self._lock:
            self._require_in_step()
            known = self.view.mark(kind, key)
            if known is not None and known.workload == workload:
                return known
            self.note_clock(now)
            fact = self.ledger.append_once(kind, workload, key, body, actor, now)
            if fact.sequence > (self.view.last.sequence if self.view.last else 0):
                self._take_in(fact)
            return fact

    def note_clock(self, now: float) -> None:
        """Record it where the clock was set since the last time."""
        with self._lock:
            seconds = self._watch.stepped() if self._watch is not None else 0.0
            if seconds:
                _log.warning("the clock was set", extra={"action": "clock", "seconds": round(seconds, 3)})
                body = {"seconds": round(seconds, 3)}
                self._take_in(self.ledger.append("clock.stepped", "", "", body, "loopwright", now))

    def _take_in(self, fact: Fact) -> None:
        self.view.apply(fact)
        self.chronicle.apply(fact)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this to read several answers of the view that must belong together."""
        with self._lock:
            with suppress(TemporaryError):  # the database is away: what is known is still worth reading
                self._keep_in_step()
            yield

    def _keep_in_step(self) -> bool:
        """Take in what was appended without our hearing of it: the connection was lost just then. True where there was some."""
        self._behind = self.ledger.settle() or self._behind
        if not self._behind:
            return False
        missed = self.ledger.facts(after=self.view.last.sequence if self.view.last else 0)
        for fact in missed:
            self._take_in(fact)
        self._behind = False
        return bool(missed)

    def _require_in_step(self) -> None:
        if self._keep_in_step():
            raise TemporaryError(
                "The ledger was away while something was recorded; ask again, for what has come of it.", 0.1
            )
