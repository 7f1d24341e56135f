"""All replica sets of a state folder: found again after a crash, wanted, let go, and their old logs thrown away."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from loopwright.engines.base import ReplicaSet, ReplicaSetStatus
from loopwright.engines.local.replica import RECORD, Replica
from loopwright.engines.local.replica_set import ReplicaSetKeeper, Surroundings
from loopwright.log import logger

__all__ = ["ReplicaSets", "folders", "prune"]

_PRUNE = 10.0  # seconds between two looks at old folders
_KEPT_OF_A_SET = 3
_KEPT = 30
_log = logger("agent.replicas")


def folders(replicas: Path, name: str = "*") -> list[Path]:
    """The folders of a set's replicas, living and ended, the newest last."""
    return sorted(replicas.glob(f"{name}.*/"), key=_changed)


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:  # thrown away meanwhile
        return 0


def prune(replicas: Path) -> None:
    """Throw away folders of ended replicas, but for the newest few, whose logs may still be wanted."""
    kept: Counter[str] = Counter()
    for folder in reversed(folders(replicas)):
        if not (folder / RECORD).exists():
            name = folder.name.rpartition(".")[0]
            kept[name] += 1
            if kept[name] > _KEPT_OF_A_SET or kept.total() > _KEPT:
                shutil.rmtree(folder, ignore_errors=True)


class ReplicaSets:
    """Keeps every set that is wanted, and those that are not until nothing is left of them."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._sets: dict[str, ReplicaSetKeeper] = {}
        self._prune_at = 0.0

    def adopt(self, now: float) -> None:
        """Take over the replicas that an earlier agent left."""
        for folder in folders(self._around.replicas):
            replica = Replica.adopt(folder, now)
            if replica is not None:
                self._keeper(replica.set_name).replicas.append(replica)
                alive = replica.process.alive()
                _log.info("found a replica", extra={"action": "adopt", "replica": replica.id, "alive": alive})

    def tick(self, wanted: Mapping[str, ReplicaSet], since: Mapping[str, int], now: float) -> None:
        """Bring every set on; `since` tells a set that was let go and is wanted again from one that always was."""
        for name in wanted.keys() | self._sets.keys():
            keeper = self._keeper(name)
            keeper.want(wanted.get(name), since.get(name, 0))
            keeper.tick(now)
            if keeper.gone:
                del self._sets[name]
        if now >= self._prune_at:
            self._prune_at = now + _PRUNE
            prune(self._around.replicas)

    def _keeper(self, name: str) -> ReplicaSetKeeper:
        return self._sets.setdefault(name, ReplicaSetKeeper(name, self._around))

    def stop(self, now: float) -> None:
        """Tell all to end, without draining."""
        for keeper in self._sets.values():
            keeper.stop(now)

    def kill(self) -> None:
        """End all."""
        for keeper in self._sets.values():
            keeper.kill()

    @property
    def settled(self) -> bool:
        """Whether nothing is left."""
        return not self._sets

    @property
    def interval(self) -> float:
        """Seconds until the next look."""
        return min((keeper.interval for keeper in self._sets.values()), default=1.0)

    def endpoints(self) -> dict[str, tuple[str, ...]]:
        """The sockets of each set that requests may be sent to."""
        return {name: keeper.endpoints() for name, keeper in self._sets.items()}

    def statuses(self) -> dict[str, ReplicaSetStatus]:
        """How every set stands."""
        return {name: keeper.status() for name, keeper in self._sets.items()}
