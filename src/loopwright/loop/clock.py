"""The clock that facts are dated by can be set, forward or back, while a control plane lives and between two of its lives.

Facts keep the date that the clock showed; their order is their sequence. A step of the clock is a fact itself,
`clock.stepped`, so that how long ago something was (`View.elapsed`) comes out right: nobody's approval expires, and no
release is given up, because a machine found out what time it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["STEP", "ClockWatch", "steady"]

STEP = 5.0  # seconds; what differs less is a clock that runs a little fast or slow, or is eased to the right time


def steady() -> float:
    """Seconds that only ever pass, also while the machine sleeps, where the system can tell that."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class ClockWatch:
    """Compares the clock with one that cannot be set."""

    def __init__(self, clock: Callable[[], float] = time.time, unset: Callable[[], float] = steady) -> None:
        self._clock, self._unset = clock, unset
        self._offset = clock() - unset()

    def stepped(self) -> float:
        """Seconds by which the clock was set forward (or back: negative) since the last question; 0 where it was not."""
        offset = self._clock() - self._unset()
        step = offset - self._offset
        self._offset = offset
        return step if abs(step) > STEP else 0.0
