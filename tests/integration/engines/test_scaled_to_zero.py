"""Sets scaled to zero, through the real gateway, while activators, agents and control planes die."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from engine_rig import EngineRig
from waiting import until

pytestmark = pytest.mark.xdist_group("engine-zero")


def activators(rig: EngineRig) -> list[int]:
    """Pids of the living ones, both of them."""
    return until(lambda: found if len(found := _activators(rig)) == 2 else [])


def _activators(rig: EngineRig) -> list[int]:
    found = []
    for process in rig.processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "loopwright.engines.local.activator" in process.cmdline():
                found.append(process.pid)
    return found


def asleep(rig: EngineRig, **fields: Any) -> tuple[str, str]:
    """A set that is at zero: its name, and its endpoint's URL."""
    name = rig.serve(**({"minimum": 0, "scale_to_zero_after": 0.5} | fields))
    url = rig.route(name, timeout=60.0)
    at_zero(rig, name)
    return name, url


def at_zero(rig: EngineRig, name: str) -> None:
    until(lambda: (rig.set(name).wanted, rig.set(name).replicas) == (0, ()))


def ask(url: str, pool: ThreadPoolExecutor, count: int) -> list[Future[httpx.Response]]:
    return [pool.submit(httpx.post, url, json=[1], timeout=60) for _ in range(count)]


@pytest.fixture
def pool() -> Any:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_load_that_comes_and_goes_with_all_replicas_fails_no_request(
    rig: EngineRig, pool: ThreadPoolExecutor
) -> None:
    name, url = asleep(rig, maximum=2, scale_to_zero_after=0.3, scale_down_delay=0.3)
    for _ in range(2):
        answers = [one.result() for one in ask(url, pool, 40)]
        assert {answer.status_code for answer in answers} == {200}
        at_zero(rig, name)
    # Just as it goes to zero is when a request could fall between the replica and the activator.
    with httpx.Client(timeout=60) as client:
        for step in range(9):
            assert client.post(url, json=[1]).status_code == 200
            time.sleep(0.05 * step)  # an interval, not a wait for anything
    rig.engine.remove_replicas(name)


@pytest.mark.chaos
def test_a_killed_activator_loses_no_request_that_may_be_sent_again(
    rig: EngineRig, pool: ThreadPoolExecutor
) -> None:
    flag = rig.folder / "may-start"
    flag.touch()
    wait = f"import os, time\n    while not os.path.exists({str(flag)!r}): time.sleep(0.01)"
    name, url = asleep(rig, init=wait)
    flag.unlink()
    first, _ = activators(rig)
    asked = ask(url, pool, 6)
    until(lambda: rig.set(name).held == 6)
    os.kill(first, signal.SIGKILL)
    until(lambda: rig.set(name).held == 6 and first not in activators(rig))
    flag.touch()
    assert [one.result().status_code for one in asked] == [200] * 6
    rig.engine.remove_replicas(name)


@pytest.mark.chaos
def test_a_set_at_zero_stays_so_when_the_agent_is_killed_and_still_comes_back(rig: EngineRig) -> None:
    name, url = asleep(rig)
    before = activators(rig)
    rig.kill_agent()
    until(lambda: rig.engine.report().routes_accepted)
    assert (rig.set(name).wanted, rig.set(name).replicas, activators(rig)) == (0, (), before)
    assert httpx.post(url, json=[1], timeout=60).status_code == 200
    rig.engine.remove_replicas(name)


def test_a_set_at_zero_comes_back_without_a_control_plane(rig: EngineRig) -> None:
    name, url = asleep(rig)
    rig.close()
    assert httpx.post(url, json=[1], timeout=60).status_code == 200
    rig.engine = rig.open()
    at_zero(rig, name)
    rig.engine.remove_replicas(name)


def test_activators_go_with_the_last_set_that_needs_them(rig: EngineRig) -> None:
    name, _ = asleep(rig)
    activators(rig)
    rig.engine.set_routes(())
    rig.engine.remove_replicas(name)
    until(lambda: not _activators(rig))
    until(lambda: not list(Path(rig.state.sockets).glob("a[01]*")))
