"""Replicas that die, hang, grow or are asked for more, and the sentence that says why some do not come up."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import httpx
import psutil
import pytest
from engine_rig import EngineRig, runs
from waiting import until

pytestmark = pytest.mark.xdist_group("engine-replicas")


def test_a_set_wanted_again_does_not_show_why_it_failed_before(rig: EngineRig) -> None:
    wanted = rig.replica_set(init="1 / 0")
    for _ in range(2):
        rig.engine.set_replicas(wanted)
        assert rig.set(wanted.name).failing == ""
        until(lambda: "ZeroDivisionError" in rig.set(wanted.name).failing)
        rig.engine.remove_replicas(wanted.name)


def test_the_only_replica_gets_requests_also_while_it_is_slow_to_say_how_it_is(rig: EngineRig) -> None:
    name = rig.serve()
    url, busy = rig.route(name), rig.ready(name).replicas[0]
    os.kill(busy.pid or 0, signal.SIGSTOP)
    until(lambda: rig.set(name).replicas[0].state == "not-ready")
    wake = threading.Timer(0.3, os.kill, (busy.pid or 0, signal.SIGCONT))
    wake.start()
    assert httpx.post(url, json=[1], timeout=10).status_code == 200
    wake.join()


@pytest.mark.chaos
def test_a_killed_replica_is_replaced_and_no_request_fails(rig: EngineRig) -> None:
    name = rig.serve(minimum=2, maximum=2)
    url, killed = rig.route(name, capacity=16), rig.ready(name, 2).replicas[0]
    workers = [child.pid for child in psutil.Process(killed.pid).children(recursive=True)]
    with httpx.Client() as client:
        answers = [client.post(url, json=[1]).status_code for _ in range(20)]
        os.kill(killed.pid or 0, signal.SIGKILL)
        answers += [client.post(url, json=[1]).status_code for _ in range(100)]
    until(lambda: killed.id not in {replica.id for replica in rig.set(name).replicas})
    assert sorted(replica.restarts for replica in rig.ready(name, 2).replicas) == [0, 1]
    assert set(answers) == {200}
    assert not any(runs(pid) for pid in workers)
    assert not Path(killed.socket).exists()


def test_a_set_that_recovers_no_longer_says_that_it_fails(rig: EngineRig) -> None:
    flag = rig.folder / "flag"
    wanted = rig.replica_set(init=f"open({str(flag)!r}).close()")
    rig.engine.set_replicas(wanted)
    until(lambda: "FileNotFoundError" in rig.set(wanted.name).failing)
    flag.touch()
    assert rig.ready(wanted.name).failing == ""


def test_a_replica_that_takes_too_long_to_start_is_ended(rig: EngineRig) -> None:
    wanted = rig.replica_set(init="import time; time.sleep(600)", start_timeout=0.8)
    rig.engine.set_replicas(wanted)
    failing = until(lambda: rig.set(wanted.name).failing)
    assert "was not ready after 0.8 s" in failing
    rig.engine.remove_replicas(wanted.name)


def test_a_replica_beyond_its_memory_is_replaced(rig: EngineRig) -> None:
    name = rig.serve(run="global x; x = bytearray(400_000_000)", memory=300_000_000)
    grown = rig.ready(name).replicas[0]
    assert rig.engine.probe(name, b"1", 10.0)[0][0] == 200
    until(lambda: grown.id not in {replica.id for replica in rig.set(name).replicas})
    after = rig.ready(name).replicas[0]
    assert (after.restarts, runs(grown.pid or 0)) == (1, False)


def test_a_hung_replica_gets_no_requests(rig: EngineRig) -> None:
    name = rig.serve(minimum=2, maximum=2)
    hung = rig.ready(name, 2).replicas[0]
    os.kill(hung.pid or 0, signal.SIGSTOP)
    until(lambda: {one.id: one.state for one in rig.set(name).replicas}[hung.id] == "not-ready")
    os.kill(hung.pid or 0, signal.SIGCONT)
    rig.ready(name, 2)


def test_a_draining_replica_finishes_what_it_has(rig: EngineRig) -> None:
    name = rig.serve(run="import time; time.sleep(1)")
    url, answers = rig.route(name), []
    client = threading.Thread(target=lambda: answers.append(httpx.post(url, json=[1], timeout=10).json()))
    client.start()
    until(lambda: rig.set(name).replicas[0].in_flight == 1)
    rig.engine.set_routes(())
    rig.engine.remove_replicas(name)
    client.join()
    assert answers == [{"got": [1]}]
    until(lambda: name not in rig.engine.report().replica_sets)


def test_logs_are_those_of_the_living_or_else_of_the_last(rig: EngineRig) -> None:
    name = rig.serve(minimum=2, maximum=2)
    ids = {replica.id for replica in rig.set(name).replicas}
    assert {log.parent.name for log in rig.engine.replica_logs(name)} == ids
    rig.engine.remove_replicas(name)
    until(lambda: name not in rig.engine.report().replica_sets)
    (left,) = rig.engine.replica_logs(name)
    assert "stopped" in left.read_text()


def test_replicas_that_are_too_heavy_to_come_up_name_the_setting(rig: EngineRig) -> None:
    wanted = rig.replica_set(
        init="import time; held = bytearray(200_000_000); time.sleep(600)", memory=150_000_000
    )
    rig.engine.set_replicas(wanted)
    until(lambda: "of memory" in rig.set(wanted.name).failing)
    assert rig.set(wanted.name).setting == "resources.memory"
