from __future__ import annotations

import time
from pathlib import Path

import pytest

from loopwright.engines.local.doorbell import Doorbell, ring


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.chdir(tmp_path)  # a relative path is short enough for a socket
    return "bell"


def test_a_ring_is_heard_also_when_nobody_waited_yet(path: str) -> None:
    bell = Doorbell(path)
    ring(path)
    assert bell.wait(10.0)
    bell.close()


def test_many_rings_are_one(path: str) -> None:
    bell = Doorbell(path)
    for _ in range(1000):  # more than the socket holds
        ring(path)
    assert (bell.wait(0.0), bell.wait(0.0)) == (True, False)
    bell.close()


def test_without_a_ring_the_wait_ends(path: str) -> None:
    bell = Doorbell(path)
    begun = time.monotonic()
    assert not bell.wait(0.05)
    assert time.monotonic() - begun >= 0.05
    bell.close()


def test_ringing_where_nobody_is_does_nothing(path: str) -> None:
    ring(path)
    Doorbell(path).close()
    ring(path)
    assert not Path(path).exists()


def test_a_bell_that_a_dead_process_left_is_replaced(path: str) -> None:
    left, bell = Doorbell(path), Doorbell(path)
    ring(path)
    assert (left.wait(0.0), bell.wait(1.0)) == (False, True)
    left.close()
    bell.close()
