"""The engine stopped: nothing is left; and started again: everything wanted is back, but jobs."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from engine_rig import EngineRig, runs
from waiting import until

from loopwright.engines.base import ServiceStatus
from loopwright.engines.local.driver import LocalEngine, agent_runs

pytestmark = pytest.mark.xdist_group("engine-stop")
Open = Callable[..., EngineRig]

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


@pytest.fixture(scope="module")
def whole() -> Iterator[EngineRig]:
    """An engine with its tracking server."""
    with tempfile.TemporaryDirectory(prefix="lw-") as folder:
        rig = EngineRig(Path(folder), tracking=True)
        until(lambda: "mlflow" in rig.engine.report().services and tracking(rig).state == "ready", 90)
        yield rig
        rig.stop()


def tracking(rig: EngineRig) -> ServiceStatus:
    return rig.engine.report().services["mlflow"]


def test_the_tracking_server_answers_and_is_adopted(whole: EngineRig) -> None:
    before = tracking(whole).pid
    whole.kill_agent()
    until(lambda: tracking(whole).state == "ready")
    assert tracking(whole).pid == before
    assert httpx.get(f"{whole.engine.tracking_url()}/version").status_code == 200


def test_a_killed_tracking_server_is_replaced_and_leaves_no_orphans(whole: EngineRig) -> None:
    killed = psutil.Process(tracking(whole).pid)
    children = killed.children(recursive=True)
    assert children
    killed.kill()
    until(lambda: tracking(whole).pid not in (None, killed.pid))
    assert not [child for child in children if runs(child.pid)]


def test_nothing_is_left_and_all_but_jobs_comes_back(whole: EngineRig) -> None:
    rig = whole
    name = rig.serve(minimum=2, maximum=2)
    url = rig.route(name)
    job = rig.python(STUBBORN)
    until(lambda: "up" in rig.said(job))
    tree = {one for process in rig.processes() for one in (process, *process.children(recursive=True))}
    assert (
        len(tree) >= 10
    )  # the agent, a shim and its job, two replicas and their workers, two Envoys, MLflow

    rig.engine.stop()
    assert rig.processes() == []
    assert not [process for process in tree if process.is_running() and runs(process.pid)]
    assert list(rig.state.sockets.iterdir()) == []

    rig.options["tracking"] = False  # it takes seconds to start
    rig.engine = rig.open()
    rig.ready(name, 2)
    until(lambda: rig.engine.report().routes_accepted)
    assert httpx.post(url, json=[1]).status_code == 200
    assert rig.engine.report().jobs == {}
    assert rig.engine.endpoint("dev", "w") == url


def test_a_job_ended_by_the_stop_is_lost_so_that_it_may_be_tried_again(open_rig: Open) -> None:
    rig = open_rig()
    job = rig.python("print('up', flush=True); import time; time.sleep(600)")
    until(lambda: "up" in rig.said(job))
    rig.engine.stop()
    assert '"reason": "lost"' in (rig.state.jobs / job / "exit.json").read_text()
    rig.engine = rig.open()


def test_a_stop_also_ends_what_a_dead_agent_left(open_rig: Open) -> None:
    rig = open_rig()
    rig.serve()
    rig.running(rig.submit("sleep", "600"))
    os.kill(rig.agent(), signal.SIGKILL)
    rig.engine.stop()
    assert rig.processes() == []
    rig.engine = rig.open()


def test_one_who_only_stops_need_not_start_anything(open_rig: Open) -> None:
    rig = open_rig()
    rig.running(rig.submit("sleep", "600"))
    rig.close()
    LocalEngine(rig.state, start=False, environment=rig.environment).stop()
    assert (agent_runs(rig.state), rig.processes()) == (False, [])
    rig.engine = rig.open()


def test_a_control_plane_that_starts_anew_forgets_nothing(open_rig: Open) -> None:
    rig = open_rig()
    name = rig.serve()
    rig.route(name)
    job = rig.submit("true")
    rig.ended(job)
    pid = rig.set(name).replicas[0].pid
    rig.reopen()
    report = rig.engine.report()
    assert (report.jobs[job].state, report.replica_sets[name].replicas[0].pid) == ("succeeded", pid)
    assert report.routes_accepted != rig.engine.routes_digest(())


def test_an_agent_whose_state_folder_is_removed_ends_with_all_it_runs(open_rig: Open) -> None:
    rig = open_rig()
    rig.serve()
    rig.running(rig.submit("sleep", "600"))
    agent = rig.agent()
    rig.close()
    shutil.rmtree(rig.state.root)
    until(lambda: not runs(agent) and rig.processes() == [], 30)
    rig.engine = rig.open()
