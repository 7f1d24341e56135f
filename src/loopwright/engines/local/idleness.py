"""Since when nobody has asked anything of a set of replicas. Pure."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Idleness"]


class Idleness:
    """Told again and again how many requests each replica (and each activator) has had; the clock is passed in.

    Counts tell of requests that were shorter than the time between two looks, which the load does not.
    """

    def __init__(self, now: float) -> None:
        self._since = now
        self._counts: dict[str, int] = {}

    def look(self, counts: Mapping[str, int], busy: bool, now: float) -> None:
        """Take in the counts of those that live; `busy`: requests are under way, or nothing could have been asked yet."""
        if busy or any(count > self._counts.get(name, 0) for name, count in counts.items()):
            self._since = now
        self._counts = dict(counts)

    def seconds(self, now: float) -> float:
        """How long it has been idle."""
        return now - self._since
