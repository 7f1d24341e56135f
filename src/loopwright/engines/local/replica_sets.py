"""All replica sets of a state folder: found again after a crash, wanted, let go, and their old logs thrown away."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec

from loopwright.engines.base import ReplicaSet, ReplicaSetStatus
from loopwright.engines.local.replica import RECORD, Replica
from loopwright.engines.local.replica_set import ReplicaSetKeeper, Surroundings
from loopwright.log import logger
from loopwright.state import replace_file

__all__ = ["ReplicaSets", "folders", "prune"]

_PRUNE = 10.0  # seconds between two looks at old folders
_KEPT_OF_A_SET = 3
_KEPT = 30
_ASLEEP = (
    "asleep.json"  # set -> since when it is wanted: those scaled to zero, which the next agent is to leave so
)
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


def _read_asleep(path: Path) -> dict[str, int]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except (OSError, msgspec.DecodeError):  # none, or lost: they are started, and go to zero again
        return {}


class ReplicaSets:
    """Keeps every set that is wanted, and those that are not until nothing is left of them."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._sets: dict[str, ReplicaSetKeeper] = {}
        self._prune_at = 0.0
        self._asleep: dict[str, int] = {}
        self._stopping = False

    def adopt(self, now: float) -> None:
        """Take over the replicas that an earlier agent left."""
        self._asleep = _read_asleep(self._around.replicas / _ASLEEP)
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
            asleep = name in self._asleep and self._asleep[name] == since.get(name, 0)
            keeper.want(wanted.get(name), since.get(name, 0), now, asleep)
            keeper.tick(now)
            if keeper.gone:
                del self._sets[name]
        if not self._stopping:
            self._around.activators.tick(filter(None, (one.standing for one in self._sets.values())), now)
        self._note_asleep(since)
        if now >= self._prune_at:
            self._prune_at = now + _PRUNE
            prune(self._around.replicas)

    def _note_asleep(self, since: Mapping[str, int]) -> None:
        if self._stopping:  # what was asleep is to be so when it is wanted again
            return
        asleep = {name: since.get(name, 0) for name, keeper in self._sets.items() if keeper.asleep}
        if asleep != self._asleep:
            replace_file(self._around.replicas / _ASLEEP, msgspec.json.encode(asleep))
            self._asleep = asleep

    def _keeper(self, name: str) -> ReplicaSetKeeper:
        return self._sets.setdefault(name, ReplicaSetKeeper(name, self._around))

    def stop(self, now: float) -> None:
        """Tell all to end, without draining."""
        self._stopping = True
        self._around.activators.kill()
        for keeper in self._sets.values():
            keeper.stop(now)

    def kill(self) -> None:
        """End all."""
        for keeper in self._sets.values():
            keeper.kill()

    @property
    def settled(self) -> bool:
        """Whether nothing is left."""
        return not self._sets and self._around.activators.settled

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
