"""The state folders of earlier releases that tests/data holds: each was left while a change waited for a person."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from driving import Cli

from loopwright.catalog import Store

FACTS = 26  # of release 0.1
_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class OldState:
    """What a release left: how many facts, the approval that waits, and which version serves where with which answer."""

    release: str
    facts: int
    waits: str
    serving: Mapping[str, int]
    answers: Mapping[int, float]  # version -> probability of its package's example
    recorded: Mapping[str, str] = field(default_factory=dict)  # a client's id -> who answered

    @property
    def coming(self) -> int:
        """The version that waits for a person."""
        return max(self.answers)


OLD_STATES = (
    OldState("0.1", FACTS, "survival-1-prod", {"dev": 1}, {1: 0.1721}),
    OldState("0.2", 67, "survival-3-prod", {"dev": 2, "prod": 1}, {1: 0.1721, 2: 0.1774}),
    OldState(
        "0.3",
        67,
        "survival-3-prod",
        {"dev": 2, "prod": 1},
        {1: 0.1721, 2: 0.1774},
        {"order-1": "survival:1", "order-2": "survival:1", "order-3": "survival:2"},
    ),
)


def unpack_old_state(folder: Path, release: str = "0.1") -> Path:
    """The state folder, below this folder; its ports are to be chosen anew."""
    with tarfile.open(_DATA / f"state-{release}" / "state.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    (folder / "state" / "settings.json").unlink()
    return folder / "state"


def lay_out_workload(cli: Cli, folder: Path) -> Path:
    """The workload's folder, as the newest change took it into the store."""
    asked = cli.facts("change.requested")[-1]["body"]
    sources = {source["path"]: source["content"] for source in asked["sources"].values()}
    Store(cli.home / "store").checkout(asked["files"] | sources, folder)
    return folder
