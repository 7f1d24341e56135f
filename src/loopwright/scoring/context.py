"""What is known of a request besides its rows: who asks, as what, and since when. Made once by whatever edge it came in by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loopwright.scoring.rows import Row

if TYPE_CHECKING:
    from loopwright.scoring.worker import Reply

LIVE, TEST = "live", "test"


class Context:
    """One request on its way; `service.finished` is told of it once, with what it came to."""

    route = "/score"  # what was asked; other edges have contexts that say another

    __slots__ = (
        "answers",
        "began",
        "client_id",
        "extra",
        "id",
        "reply",
        "role",
        "rows",
        "single",
        "time",
        "trace",
    )

    def __init__(
        self,
        request_id: str,
        began: float,
        time: float,
        client_id: str | None,
        role: str | None,
        trace: str | None,
    ) -> None:
        self.id = request_id  # ours
        self.client_id = client_id  # theirs, whatever it is
        self.role = role or TEST  # the gateway says `live`; who comes past it tests
        self.trace = trace  # W3C traceparent
        self.began = began  # time.perf_counter()
        self.time = time  # seconds since the epoch
        self.rows: list[Row] | None = None
        self.single = False  # one object was asked for by itself
        self.extra: list[Row] | None = None  # what else is kept of each row
        self.answers: list[list[Any]] | bytes | None = None  # a column for each output, or a script's JSON
        self.reply: Reply | None = None  # of a script


class Routed(Context):
    """A request that came by another path than /score."""

    __slots__ = ("route",)

    def __init__(self, route: str, known: Context) -> None:
        super().__init__(known.id, known.began, known.time, known.client_id, None, known.trace)
        self.role = known.role
        self.route = route
