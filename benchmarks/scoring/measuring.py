"""Rounds over all sides of one model: each is started once and found to answer right, then loaded in turn, again and again.

All are up at the same time, but all except the one under load are stopped (SIGSTOP), so that none disturbs another; odd
rounds go through them backwards. So what disturbs the machine disturbs all alike, and the ratio of two sides in one round
means something on a busy machine too. Beside the rate, the processor time of an answer is taken: it hardly changes with
what else the machine does, so it tells whether a rate was the server's or the machine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from environments import KEPT
from load import Burst, Wrk
from running import Server, free_port
from sides import Side

CONNECTIONS = (1, 32, 256)
_WARM_UP = 1  # seconds, at 32 connections


@dataclass
class Found:
    """What was found of one side; a list has one value for each round."""

    side: str
    model: str
    started_in: list[float] = field(default_factory=list)  # seconds from the process's start to its first 200
    bursts: dict[int, list[Burst]] = field(default_factory=dict)  # by connections
    processor: dict[int, list[float]] = field(default_factory=dict)  # seconds of processor time for an answer
    resident: list[float] = field(default_factory=list)  # bytes, after the load

    def rates(self, connections: int) -> list[float]:
        """Answers a second in each round."""
        return [burst.rate for burst in self.bursts[connections]]

    def as_json(self) -> dict[str, Any]:
        """Everything."""
        return asdict(self)


class _Running:
    """A side that was started, and is stopped where it stands except while it is measured."""

    def __init__(self, side: Side, stack: ExitStack, first: bool) -> None:
        self._side, self._port, self._first = side, free_port(), first
        self._url = f"http://127.0.0.1:{self._port}{side.path}"
        self._wrk = Wrk(side.bodies, KEPT / "load" / f"{side.name}-{side.model.name}", first)
        self._server: Server = stack.enter_context(side.server(self._port))
        self.found = Found(side.name, side.model.name, [self._server.await_answer(side.path, side.bodies[0])])
        wrong = side.wrong([self._server.ask(side.path, body) for body in side.bodies])
        assert not wrong, f"{side.name} answers {len(wrong)} rows otherwise than the model: {wrong[0]}"
        self._wrk.burst(self._url, 32, _WARM_UP)
        self._settle()
        self._server.pause()

    def _settle(self) -> None:
        """Let it work off what the load has left, which nobody waits for any more: some learn from how long a request took,
        and none may have one in its hands while it is stopped."""
        self._server.await_answer(self._side.path, self._side.bodies[0])

    def measure(self, seconds: int) -> None:
        """One round."""
        self._server.resume(self._first)
        for connections in CONNECTIONS:
            before = self._server.processor_seconds()
            burst = self._wrk.burst(self._url, connections, seconds)
            used = self._server.processor_seconds() - before
            self._settle()
            self.found.bursts.setdefault(connections, []).append(burst)
            self.found.processor.setdefault(connections, []).append(used / max(1, burst.requests))
        self.found.resident.append(self._server.resident())
        self._server.pause()
        rates = ", ".join(f"{self.found.rates(count)[-1]:,.0f}/s at {count}" for count in CONNECTIONS)
        print(f"  {self.found.side}, {self.found.model}: {rates}", flush=True)


def rounds(sides: Sequence[Side], count: int, seconds: int, first: bool) -> list[Found]:
    """So many rounds over sides of one model, with loads of so many seconds; AssertionError where one answers wrongly.

    `first`: under load, a side and its client come before all else that the machine has to do.
    """
    found = []
    with ExitStack() as stack:
        running = [_Running(side, stack, first) for side in sides]
        for number in range(count):
            for one in running if number % 2 == 0 else reversed(running):
                one.measure(seconds)
        found += [one.found for one in running]
    for side, one in zip(sides, found, strict=True):
        if side.starts_often:
            one.started_in += [_start(side) for _ in range(count - 1)]
    return found


def _start(side: Side) -> float:
    with side.server(free_port()) as server:
        return server.await_answer(side.path, side.bodies[0])


def table(found: Sequence[Found]) -> list[str]:
    """All sides as a table in Markdown: medians over the rounds, most answers first."""
    columns = (
        "server",
        "model",
        "answers/s at 1",
        "at 32",
        "at 256",
        "p50 at 32",
        "p99 at 32",
        "CPU for one",
        "start",
        "memory",
    )
    lines = [_row(columns), _row(["---"] * 2 + ["--:"] * (len(columns) - 2))]
    for one in sorted(found, key=lambda one: (one.model, -median(one.rates(32)))):
        figures = [f"{median(one.rates(count)):,.0f}" for count in CONNECTIONS]
        figures += [f"{median(burst.p50 for burst in one.bursts[32]) * 1e3:.1f} ms"]
        figures += [f"{median(burst.p99 for burst in one.bursts[32]) * 1e3:.1f} ms"]
        figures += [f"{median(one.processor[32]) * 1e6:,.0f} us", f"{median(one.started_in):.2f} s"]
        lines.append(_row([one.side, one.model, *figures, f"{median(one.resident) / 1e6:.0f} MB"]))
    return lines


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
