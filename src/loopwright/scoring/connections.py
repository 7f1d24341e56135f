"""The connections of one listener: how many there may be, and which have been idle, or stuck, for too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

_MOST_NAMES = 512  # header names that are known by heart


class Kept(Protocol):
    """What a connection is asked."""

    def stop(self) -> None:
        """End once what was asked is answered."""
        ...

    def look(self, now: float, patience: float) -> None:
        """End where nothing has moved for `patience` seconds, by the loop's time `now`."""
        ...


class Connections:
    """At most `most`; `none_left` is called whenever the last of them has ended."""

    def __init__(self, most: int, none_left: Callable[[], None]) -> None:
        self._most, self._none_left = most, none_left
        self._all: set[Kept] = set()
        self._names: dict[bytes, str] = {}
        self.name = self._names.get
        self.stopped = False  # none is to stay

    def __len__(self) -> int:
        return len(self._all)

    @property
    def full(self) -> bool:
        """Whether there are more than there may be."""
        return len(self._all) > self._most

    def add(self, one: Kept) -> None:
        """It has begun."""
        self._all.add(one)

    def discard(self, one: Kept) -> None:
        """It has ended."""
        self._all.discard(one)
        if not self._all:
            self._none_left()

    def stop(self) -> None:
        """End each once what was asked on it is answered, also those that the system has taken already."""
        self.stopped = True
        for one in list(self._all):
            one.stop()

    def look(self, patience: float) -> None:
        """End those on which nothing has moved for so many seconds."""
        now = asyncio.get_running_loop().time()
        for one in list(self._all):
            one.look(now, patience)

    def learn(self, name: bytes) -> str:
        """A header's name in small letters; `name` has those that were learnt."""
        known = name.decode("latin-1").lower()
        if len(self._names) < _MOST_NAMES:
            self._names[name] = known
        return known
