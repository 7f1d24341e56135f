"""The state folder of release 0.1 that tests/data holds: a change that waits for a person, with dev serving."""

from __future__ import annotations

import tarfile
from pathlib import Path

FACTS = 26
_ARCHIVE = Path(__file__).parents[1] / "data" / "state-0.1" / "state.tar.xz"


def unpack_old_state(folder: Path) -> Path:
    """The state folder, below this folder; its ports are to be chosen anew."""
    with tarfile.open(_ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    (folder / "state" / "settings.json").unlink()
    return folder / "state"
