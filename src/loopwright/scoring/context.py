"""What is known of a request besides its rows: who asks, as what, and since when. Made once by whatever edge it came in by."""

from __future__ import annotations

from typing import Any

import msgspec

from loopwright.scoring.rows import Row

TEST = "test"
SCORE = "/score"


class Context(msgspec.Struct, eq=False, gc=False):
    """One request on its way; `service.finished` is told of it once, with what it came to.

    A struct, since one is made for each request: that takes a third of what a class of Python's takes.
    """

    id: str  # ours
    began: float  # time.perf_counter()
    time: float  # seconds since the epoch
    client_id: str | None  # theirs, whatever it is
    role: str  # the gateway says `live`; who comes past it tests
    trace: str | None  # W3C traceparent
    route: str = SCORE  # what was asked
    rows: list[Row] | None = None
    single: bool = False  # one object was asked for by itself
    extra: list[Row] | None = None  # what else is kept of each row
    answers: list[list[Any]] | bytes | None = None  # a column for each output, or a script's JSON
    size: int = 0  # bytes of its body, and of its answer
    reply: Any = None  # of a script: a worker.Reply
