"""The gateway that the tests of this folder share; each finds it as the one before has found it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway_rig import Rig


@pytest.fixture(scope="module")
def shared() -> Iterator[Rig]:
    # Not pytest's own folder: its path may be too long for a socket.
    with tempfile.TemporaryDirectory(prefix="gw-") as folder:
        rig = Rig(Path(folder))
        yield rig
        rig.close()


@pytest.fixture
def rig(shared: Rig) -> Rig:
    shared.reset()
    return shared
