"""Framing: the requests of a round as frames of bounded size, and as the columns that the pane counts."""

from __future__ import annotations

import random
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from loopwright.observations.blocks import Requests, encode
from loopwright.observations.frames import MOST, frame
from loopwright.observations.gathering import Gathered, Gatherer
from loopwright.observations.plain import plain
from loopwright.observations.recording import Record


class Tell(Protocol):
    """Says in the log what went wrong, not too often."""

    def __call__(self, trouble: str, **more: object) -> None: ...


class Framed(NamedTuple):
    """What a round has."""

    parts: list[tuple[list[Record], Gathered]]
    frames: list[bytes]
    requests: int  # that are in the frames


class Framer:
    """Turns requests into frames; `rate` is the share that is kept row by row."""

    def __init__(self, gatherer: Gatherer, rate: float, tell: Tell) -> None:
        self._gatherer, self._rate, self._tell = gatherer, rate, tell

    def frame(
        self, records: Sequence[Record], pane: int, losses: Counter[str], pause: Callable[[], None]
    ) -> Framed:
        """The frames of these, with a pause after each piece of work; what cannot be framed is counted in `losses`."""
        parts: list[tuple[list[Record], Gathered]] = []
        frames: list[bytes] = []
        requests, large = 0, losses["large"]
        for part in self._gatherer.parts(records):
            try:
                gathered = self._gatherer.gather(part)
                kept = self._sample(part)
                if kept:
                    columns = gathered if kept is part else self._gatherer.gather(kept)
                    frames += self._frames(kept, columns, pane, losses)
            except Exception:  # the root of what is done with values that clients and scripts chose
                losses["error"] += sum(not record[9] for record in part)
                self._tell("error", error=traceback.format_exc(limit=-5))
                continue
            requests += sum(not record[9] for record in kept)
            parts.append((part, gathered))
            pause()
        return Framed(parts, frames, requests - (losses["large"] - large))

    def _sample(self, part: list[Record]) -> list[Record]:
        if self._rate >= 1:
            return part
        return [one for one in part if random.random() < self._rate]  # noqa: S311  (no secret)

    def _frames(self, part: list[Record], gathered: Gathered, pane: int, losses: Counter[str]) -> list[bytes]:
        """The part as one frame, or as several where it is too large for one; a request that alone is so is lost."""
        payload = _encoded(gathered, pane)
        self._gatherer.adapt(len(payload), max(len(part), sum(gathered.rows)))
        if len(payload) <= MOST:
            return [frame(payload)]
        if len(part) == 1:
            losses["large"] += 1
            self._tell("large", bytes=len(payload), most=MOST)
            return []
        halves = part[: len(part) // 2], part[len(part) // 2 :]
        return [
            one for half in halves for one in self._frames(half, self._gatherer.gather(half), pane, losses)
        ]


def _encoded(gathered: Gathered, pane: int) -> bytes:
    try:
        return encode(Requests(pane, *gathered))
    except (TypeError, ValueError, OverflowError):  # MessagePack has no 2**64 and no half of a surrogate pair
        return encode(Requests(pane, *plain(gathered)))
