"""SIGKILL of the agent: what runs goes on, and the next agent takes it over as it stands."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import httpx
import psutil
import pytest
from engine_rig import EngineRig, runs
from waiting import until

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("engine-agent")]


@pytest.fixture(autouse=True)
def nothing_else_wanted(rig: EngineRig) -> Iterator[None]:
    yield
    rig.engine.set_routes(())
    for name in rig.engine.report().replica_sets:
        rig.engine.remove_replicas(name)


def test_a_job_goes_on_while_no_agent_lives(rig: EngineRig) -> None:
    gate = rig.folder / "gate-alone"
    os.mkfifo(gate)
    job = rig.python(f"print('begun', flush=True); print(open({str(gate)!r}).read())")
    until(lambda: "begun" in rig.said(job))
    before = rig.running(job)
    os.kill(rig.agent(), signal.SIGKILL)
    gate.write_text("let through")
    until(lambda: (rig.state.jobs / job / "exit.json").exists())
    status = rig.ended(job)
    assert (status.state, status.started_at) == ("succeeded", pytest.approx(before.started_at, abs=1))
    assert rig.said(job) == "begun\nlet through\n"


def test_a_running_job_is_adopted(rig: EngineRig) -> None:
    gate = rig.folder / "gate-adopted"
    os.mkfifo(gate)
    job = rig.python(f"print('begun', flush=True); print(open({str(gate)!r}).read())")
    until(lambda: "begun" in rig.said(job))
    shim = rig.running(job).pid
    rig.kill_agent()
    assert rig.running(job).pid == shim
    gate.write_text("let through")
    assert rig.ended(job).state == "succeeded"
    assert rig.said(job) == "begun\nlet through\n"


def test_an_adopted_job_can_be_cancelled(rig: EngineRig) -> None:
    job = rig.python("print('begun', flush=True); import time; time.sleep(600)")
    until(lambda: "begun" in rig.said(job))
    rig.kill_agent()
    rig.running(job)
    rig.engine.cancel(job)
    assert rig.ended(job).reason == "cancelled"


def test_an_adopted_job_whose_shim_is_killed_is_lost_with_all_it_started(rig: EngineRig) -> None:
    job = rig.python(
        "import os, time; os.fork() or os.setsid(); os.write(1, b'%d ' % os.getpid()); time.sleep(600)"
    )
    pids = until(lambda: said if len(said := rig.said(job).split()) == 2 else [])
    rig.kill_agent()
    os.kill(rig.running(job).pid or 0, signal.SIGKILL)
    assert rig.ended(job).reason == "lost"
    assert not any(runs(int(pid)) for pid in pids)


def test_a_job_submitted_while_no_agent_lives_runs_once_one_does(rig: EngineRig) -> None:
    os.kill(rig.agent(), signal.SIGKILL)
    assert rig.ended(rig.submit("true")).state == "succeeded"


def test_replicas_and_gateway_are_adopted_and_answer_all_the_while(rig: EngineRig) -> None:
    name = rig.serve(minimum=2, maximum=2)
    url = rig.route(name)
    before = {replica.id: replica.pid for replica in rig.set(name).replicas}
    services = {service.name: service.pid for service in rig.engine.report().services.values()}
    with httpx.Client() as client:
        assert client.post(url, json=[1]).status_code == 200
        killed = rig.agent()
        os.kill(killed, signal.SIGKILL)
        answers = {client.post(url, json=[1]).status_code for _ in range(50)}
        until(lambda: rig.engine.report() and rig.agent() != killed)
        answers |= {client.post(url, json=[1]).status_code for _ in range(50)}
        until(lambda: rig.set(name).ready == 2)
        answers |= {client.post(url, json=[1]).status_code for _ in range(50)}
    assert answers == {200}
    assert {replica.id: replica.pid for replica in rig.ready(name, 2).replicas} == before
    assert {service.name: service.pid for service in rig.engine.report().services.values()} == services


def test_a_replica_that_died_meanwhile_is_replaced(rig: EngineRig) -> None:
    name = rig.serve(minimum=2, maximum=2)
    dead, alive = rig.ready(name, 2).replicas
    os.kill(rig.agent(), signal.SIGKILL)
    os.kill(dead.pid or 0, signal.SIGKILL)
    until(lambda: dead.id not in {replica.id for replica in rig.set(name).replicas})
    pids = {replica.id: replica.pid for replica in rig.ready(name, 2).replicas}
    assert pids[alive.id] == alive.pid
    assert dead.id not in pids


def test_replicas_of_a_set_removed_meanwhile_are_let_go(rig: EngineRig) -> None:
    name = rig.serve()
    pid = rig.set(name).replicas[0].pid or 0
    os.kill(rig.agent(), signal.SIGKILL)
    rig.engine.remove_replicas(name)
    until(lambda: name not in rig.engine.report().replica_sets)
    assert not runs(pid)


def test_only_one_agent_lives(rig: EngineRig) -> None:
    rig.kill_agent()
    for _ in range(3):
        rig.reopen()
    agents = [
        one
        for one in rig.processes()
        if "loopwright.engines.local.agent" in psutil.Process(one.pid).cmdline()
    ]
    assert [one.pid for one in agents] == [rig.agent()]
