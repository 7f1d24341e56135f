"""A port that another program has, or that is to be another one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gateway_rig import Rig, free_port, route, running

from loopwright.engines.local.desired import Desired, GatewaySettings
from loopwright.engines.local.gateway_keeper import GatewayKeeper
from loopwright.engines.local.port_holder import holder
from loopwright.engines.local.probing import Prober
from loopwright.engines.local.tracking_server import TrackingServer

pytestmark = pytest.mark.xdist_group("gateway-ports")


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Another program with this port: this one."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield


def test_the_holder_of_a_port_is_named() -> None:
    port = free_port()
    assert holder(port) == "another process"
    with listening(port):
        assert f"(pid {os.getpid()})" in holder(port)


@contextmanager
def instead_of_envoys(rig: Rig) -> Iterator[None]:
    """Kill them, as often as they come back first, and take their port."""
    while True:
        killed = {pid for pid in rig.pids().values() if pid}
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        while any(map(running, killed)):
            rig.gateway.services(rig.now)  # their parent
            time.sleep(0.01)
        with contextlib.suppress(OSError), listening(rig.port):
            yield
            return


def test_a_port_taken_while_both_envoys_were_away_is_told_and_had_again_once_it_is_free(rig: Rig) -> None:
    with instead_of_envoys(rig):
        rig.until(lambda: f"(pid {os.getpid()}) has this port. Stop that process" in rig.gateway.rejected)
        states = {one.state for one in rig.gateway.services(rig.now).values()}
        assert states == {"starting"}
    rig.until(lambda: {one.state for one in rig.gateway.services(rig.now).values()} == {"ready"}, within=40)
    rig.until(lambda: rig.gateway.rejected == "")
    assert rig.post().status == 200


def desired(port: int) -> Desired:
    return Desired(gateway=GatewaySettings(port=port), mlflow_port=0, routes=(route(),))


def test_a_gateway_that_runs_is_given_another_port(rig: Rig) -> None:
    folder = rig.folder / "moved"
    folder.mkdir()
    keeper = GatewayKeeper(folder, folder)
    wanted = desired(free_port())

    def serve(settings: Desired) -> None:
        deadline = time.monotonic() + 30
        while not answers(rig, settings.gateway.port):
            assert time.monotonic() < deadline, (keeper.rejected, keeper.services(time.monotonic()))
            keeper.tick(settings, rig.endpoints, time.monotonic())
            time.sleep(0.02)

    try:
        serve(wanted)
        before = {one.pid for one in keeper.services(time.monotonic()).values()}
        other = desired(free_port())
        serve(other)
        assert {one.pid for one in keeper.services(time.monotonic()).values()} == before
    finally:
        keeper.stop(wanted, time.monotonic())


def answers(rig: Rig, port: int) -> bool:
    """Whether the route is served there."""
    kept, rig.port = rig.port, port
    try:
        return rig.post().status == 200
    except OSError:
        return False
    finally:
        rig.port = kept


def test_a_tracking_server_whose_port_is_taken_says_by_whom_and_starts_once_it_is_free(
    tmp_path: Path,
) -> None:
    server, port = (
        TrackingServer(tmp_path, lambda folder: dict(os.environ), Prober(lambda: None)),
        free_port(),
    )
    with listening(port):
        server.tick(port, 0.0)
        assert server.status().state == "dead"
        assert f"(pid {os.getpid()}) has its port {port}" in server.status().message
    server.tick(port, 60.0)
    assert server.status().state == "starting"
    server.stop()
    while not server.finish(force=True):
        time.sleep(0.02)
