"""The agent's care for the control plane, where all is to be stopped while one comes up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopwright.engines.local.control_plane import ControlPlaneKeeper
from loopwright.state import StateFolder


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield child
    child.kill()
    child.communicate()


@pytest.mark.parametrize("holds", [True, False])
def test_one_that_does_not_hold_the_lock_yet_is_ended(
    tmp_path: Path, child: subprocess.Popen[bytes], holds: bool
) -> None:
    state = StateFolder(tmp_path)
    keeper = ControlPlaneKeeper(state, {})
    keeper._child = child
    state.control_lock.write_text(f"{child.pid if holds else 1}\n")
    keeper.end_starting()
    if holds:
        assert child.poll() is None  # it is the one that stops everything, and ends by itself
    else:
        assert child.wait(10) == -9
