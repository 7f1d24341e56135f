"""What a set tells the gateway and the loop; no process is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright.engines.base import ReplicaState
from loopwright.engines.local.activator_keeper import Activators
from loopwright.engines.local.kept_process import KeptProcess
from loopwright.engines.local.probing import Prober
from loopwright.engines.local.replica import RECORD, Replica
from loopwright.engines.local.replica_set import ReplicaSetKeeper, Surroundings
from loopwright.secrets.providers import Secrets
from loopwright.state import StateFolder


def keeper(tmp_path: Path, *states: ReplicaState) -> ReplicaSetKeeper:
    secrets = Secrets(StateFolder(tmp_path), {})
    around = Surroundings(
        tmp_path,
        tmp_path,
        lambda folder: {},
        Prober(lambda: None),
        lambda name, socket: True,
        Activators(tmp_path, tmp_path, lambda folder: {}, ""),
        secrets,
    )
    keeper = ReplicaSetKeeper("s", around)
    for index, state in enumerate(states):
        facts = {"set": "s", "socket": str(index), "restarts": 0}
        keeper.replicas.append(Replica(KeptProcess(tmp_path, tmp_path / RECORD, facts), 0.0))
        keeper.replicas[-1].state = state
    return keeper


@pytest.mark.parametrize(
    ("states", "sockets"),
    [
        (("ready", "starting", "not-ready", "draining", "ready"), ("0", "4")),
        (("starting", "not-ready", "draining"), ("1",)),  # better a try than a sure refusal
        (("starting", "draining"), ()),
    ],
)
def test_requests_go_to_ready_replicas_or_else_to_those_that_were(
    tmp_path: Path, states: tuple[ReplicaState, ...], sockets: tuple[str, ...]
) -> None:
    assert keeper(tmp_path, *states).endpoints() == sockets


def test_a_set_counts_its_ready_replicas(tmp_path: Path) -> None:
    status = keeper(tmp_path, "ready", "starting", "draining").status()
    assert (status.ready, len(status.replicas), status.wanted) == (1, 3, 0)
