"""A replica of several fronts is one replica to whoever asks it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import psutil
import pytest

_SCRIPT = """
    import os
    def run(data):
        return os.getppid()
"""


@pytest.fixture(scope="module")
def two(start: Callable[..., Any]) -> Any:
    return start(_SCRIPT, fronts=2, limits={"concurrency": 3, "queue": 10})


def _fronts(replica: Any) -> set[int]:
    """Those that answer, of many connections."""
    return {replica.score({}).json for _ in range(60)}


def test_both_answer_and_are_counted_together(two: Any) -> None:
    fronts: set[int] = set()
    while len(fronts) < 2:  # the kernel hands connections to whoever is quicker
        fronts |= _fronts(two)
    assert two.process.pid in fronts
    completed = {two.ask("GET", "/stats").json["completed"] for _ in range(8)}
    assert len(completed) == 1
    assert two.metric("loopwright_requests_total{") == completed.pop()
    text = two.ask("GET", "/metrics").body.decode()
    assert text.count("# TYPE loopwright_requests_total counter") == 1
    assert 'front="0"' in text
    assert 'front="1"' in text


def test_one_that_is_killed_comes_again_and_the_other_goes_on(two: Any) -> None:
    other = next(one for one in psutil.Process(two.process.pid).children() if "--front" in one.cmdline())
    os.kill(other.pid, signal.SIGKILL)
    other.wait(10)
    assert two.score({}).status == 200
    while other.pid in (fronts := _fronts(two)) or len(fronts) < 2:
        assert two.ask("GET", "/readyz").status == 200


def test_all_end_with_the_first(two: Any) -> None:
    processes = psutil.Process(two.process.pid).children(recursive=True)
    two.process.kill()
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive
