"""What a control plane holds so that it is the only one: the lock of its state folder, and that of a shared database."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from loopwright.errors import ConflictError, TemporaryError

_AGAIN = 0.2  # seconds between two tries while another holds it


class OneHolder(Protocol):
    """A lock that one process holds until it ends."""

    def acquire(self) -> None:
        """Take it; raises ConflictError, naming the holder, where another has it."""

    def check(self) -> None:
        """Raises StaleEpochError where it is lost for good, TemporaryError where that cannot be told now."""

    def release(self) -> None:
        """Let go; a second call does nothing."""


class Hold:
    """Several locks as one: all or none is held."""

    def __init__(self, locks: Sequence[OneHolder]) -> None:
        self._locks = tuple(locks)

    def acquire(self) -> None:
        """Take all; raises ConflictError where another control plane has one of them."""
        try:
            for lock in self._locks:
                lock.acquire()
        except BaseException:
            self.release()
            raise

    def await_turn(self, told: Callable[[str], None]) -> bool:
        """As `acquire`, but wait until the other control plane has ended; `told` hears once whom we wait for.

        Returns whether there was one.
        """
        said = ""
        while True:
            try:
                self.acquire()
            except (ConflictError, TemporaryError) as error:
                if error.message != said:
                    said = error.message
                    told(said)
                time.sleep(_AGAIN)
            else:
                return said != ""

    def check(self) -> None:
        """See that all are still held. Raises TemporaryError or StaleEpochError; see `OneHolder`."""
        for lock in self._locks:
            lock.check()

    def release(self) -> None:
        """Let go of all, the last taken first."""
        for lock in reversed(self._locks):
            lock.release()
