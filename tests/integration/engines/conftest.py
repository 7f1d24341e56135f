"""Real engines: one that the tests of this folder share, and fresh ones for those that stop theirs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_rig import EngineRig


@pytest.fixture
def open_rig() -> Iterator[Callable[..., EngineRig]]:
    """Makes engines that are stopped after the test; not in pytest's own folder, whose path is long for sockets."""
    rigs: list[EngineRig] = []
    with tempfile.TemporaryDirectory(prefix="lw-") as folder:

        def make(**options: Any) -> EngineRig:
            rigs.append(EngineRig(Path(folder) / str(len(rigs)), **options))
            return rigs[-1]

        yield make
        for rig in rigs:
            rig.stop()


@pytest.fixture(scope="module")
def rig() -> Iterator[EngineRig]:
    with tempfile.TemporaryDirectory(prefix="lw-") as folder:
        rig = EngineRig(Path(folder))
        yield rig
        rig.stop()
