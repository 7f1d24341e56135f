"""The agent against bad files and a dead control plane."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest
from engine_rig import EngineRig
from waiting import until

from loopwright import locks
from loopwright.errors import IntegrityError

pytestmark = pytest.mark.xdist_group("engine-agent")
Open = Callable[..., EngineRig]


@pytest.mark.parametrize("content", ["{", "[]", '{"generation": "x"}', "\udcff"])
def test_a_bad_desired_file_is_logged_and_the_last_good_one_holds(rig: EngineRig, content: str) -> None:
    name = rig.serve()
    good = rig.state.desired.read_bytes()
    rig.state.desired.write_bytes(content.encode(errors="surrogateescape"))
    log = rig.state.agent_log
    lines = until(lambda: [line for line in log.read_text().splitlines() if "last good one" in line])
    assert json.loads(lines[-1])["action"] == "read"
    assert rig.ready(name).replicas[0].state == "ready"
    rig.state.desired.write_bytes(good)
    rig.engine.remove_replicas(name)
    until(lambda: name not in rig.engine.report().replica_sets)


def test_observed_is_written_again_and_again_while_nothing_changes(rig: EngineRig) -> None:
    def written() -> float:
        return float(json.loads(rig.state.observed.read_bytes())["at"])

    first = until(lambda: rig.state.observed.exists() and written())
    until(lambda: written() > first, 8)


def test_an_agent_that_cannot_write_goes_on_and_catches_up(rig: EngineRig) -> None:
    """A folder in the file's place refuses the rename, as a full disk refuses the write."""
    rig.state.observed.unlink(missing_ok=True)
    rig.state.observed.mkdir()
    try:
        job = rig.submit("true")
        until(lambda: (rig.state.jobs / job / "exit.json").exists())
    finally:
        rig.state.observed.rmdir()
    assert rig.ended(job).state == "succeeded"


def test_a_damaged_desired_file_is_refused_by_a_new_control_plane(open_rig: Open) -> None:
    rig = open_rig()
    rig.close()
    good = rig.state.desired.read_bytes()
    rig.state.desired.write_text("{")
    with pytest.raises(IntegrityError, match=r"desired\.json is not what was written"):
        rig.open()
    rig.state.desired.write_bytes(good)
    rig.engine = rig.open()


def test_a_control_plane_that_is_away_is_started_and_one_that_lives_is_left_alone(open_rig: Open) -> None:
    rig = open_rig(keep_control_plane=True)

    def started() -> bool:
        log = rig.state.agent_log
        return log.exists() and "the control plane was away" in log.read_text()

    lock = locks.take(rig.state.control_lock)
    assert lock is not None
    rig.ended(rig.submit("sleep", "1.5"))
    assert not started()
    os.close(lock)
    until(started)
