"""No change of routes or replicas costs a request, nor does the death of any of the parts."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from typing import Any

import pytest
from gateway_rig import Rig, free_port, route, running

from loopwright.engines.local.desired import GatewaySettings, routes_digest
from loopwright.engines.local.gateway import Gateway
from loopwright.engines.local.gateway_port import require_free
from loopwright.errors import MachineError


def test_switching_to_another_set_and_back_under_load_loses_nothing(rig: Rig) -> None:
    with rig.load() as load:
        for _ in range(6):
            rig.want(route("dev--w--b"))
            rig.want(route("dev--w--a"))
    assert load.failures == []
    assert load.answers["a1"] > 50
    assert load.answers["b1"] > 50


def test_a_set_taken_away_together_with_its_route_under_load_loses_nothing(rig: Rig) -> None:
    with rig.load() as load:
        for name in ("b", "a") * 4:
            rig.want(
                route(f"dev--w--{name}"), endpoints={f"dev--w--{name}": rig.sockets(f"{name}1", f"{name}2")}
            )
            gone = rig.sockets("a1" if name == "b" else "b1")[0]
            rig.until(lambda: rig.gateway.drained("dev--w--a" if name == "b" else "dev--w--b", gone))  # noqa: B023
    assert load.failures == []


def test_after_a_switch_only_the_new_set_answers_and_the_old_cluster_goes(rig: Rig) -> None:
    rig.want(route("dev--w--b"), endpoints={"dev--w--b": rig.sockets("b1", "b2")})
    assert {rig.post().json["name"] for _ in range(20)} <= {"b1", "b2"}
    members = rig.folder / "gateway/config/eds"
    rig.until(lambda: [file.name for file in members.iterdir()] == ["dev--w--b.json"])
    assert "dev--w--a" not in (rig.folder / "gateway/config/cds.json").read_text()


def test_weights_divide_the_requests(rig: Rig) -> None:
    rig.want(route("dev--w--a", "dev--w--b"))
    with rig.load() as load:
        rig.until(lambda: sum(load.answers.values()) > 400)
    from_a = load.answers["a1"] + load.answers["a2"]
    assert 0.3 < from_a / sum(load.answers.values()) < 0.7


def test_one_of_two_replicas_killed_under_load_loses_nothing(rig: Rig) -> None:
    rig.want(route(capacity=144))
    with rig.load(connections=32) as load:
        for name in ("a1", "a2"):
            before = load.answers[name]
            rig.until(lambda: load.answers[name] > before + 50)  # noqa: B023
            rig.upstreams[name].kill()
            after = sum(load.answers.values())
            rig.until(lambda: sum(load.answers.values()) > after + 300)  # noqa: B023
            rig.upstreams[name].revive()
            rig.gateway.want((route(capacity=144),), rig.endpoints)
            rig.until(lambda: load.answers[name] > before + 100)  # noqa: B023
    assert load.failures == []


def die(rig: Rig, size: int) -> list[int]:
    """Send requests of which each kills `a1` where it gets that far, until one has."""
    statuses = []
    while rig.upstreams["a1"].process.poll() is None:
        statuses.append(rig.post("/dev/w/score?die=a1", b"x" * size).status)
        assert len(statuses) < 100
        if statuses[-1] == 503:
            rig.upstreams["a1"].process.wait(20)  # its end may be seen a little after its connection's
    return statuses


def test_a_post_of_500_kb_to_a_replica_that_dies_is_sent_again(rig: Rig) -> None:
    assert set(die(rig, 500_000)) == {200}


def test_a_route_that_is_not_idempotent_sends_nothing_twice(rig: Rig) -> None:
    rig.want(route(idempotent=False))
    assert die(rig, 10).count(503) == 1


def test_a_replica_is_drained_only_after_its_last_answer(rig: Rig) -> None:
    path = rig.sockets("a1")[0]
    with rig.held(8) as asked:
        rig.gateway.want((route(),), {**rig.endpoints, "dev--w--a": rig.sockets("a2")})
        rig.until(lambda: sum(load.draining for load in rig.loads()) == 2)
        assert {rig.post().json["name"] for _ in range(20)} == {"a2"}
        for _ in range(20):
            rig.tick()
        assert not rig.gateway.drained("dev--w--a", path)
    rig.until(lambda: rig.gateway.drained("dev--w--a", path))
    assert {one.result().json["name"] for one in asked} == {"a1", "a2"}
    assert path not in (rig.folder / "gateway/config/eds/dev--w--a.json").read_text()


def test_replicas_that_all_leave_answer_as_long_as_they_are_there(rig: Rig) -> None:
    with rig.held(4) as asked:
        rig.gateway.want((route(),), {"dev--w--a": []})
        rig.until(lambda: all(load.draining for load in rig.loads() if load.active))
        assert {rig.post().status for _ in range(10)} == {200}
    assert {one.result().status for one in asked} == {200}
    rig.until(lambda: all(rig.gateway.drained("dev--w--a", one) for one in rig.sockets("a1", "a2")))
    assert rig.post().status == 503


def test_replicas_come_and_go_under_load_without_loss(rig: Rig) -> None:
    with rig.load() as load:
        for names in (["a1"], ["a1", "a2"], ["a2"], ["a1", "a2"]) * 2:
            rig.gateway.want((route(),), {"dev--w--a": rig.sockets(*names)})
            gone = rig.sockets(*({"a1", "a2"} - set(names)))
            rig.until(lambda: all(rig.gateway.drained("dev--w--a", one) for one in gone))  # noqa: B023
            rig.until(lambda: not rig.gateway.drained("dev--w--a", rig.sockets(names[0])[0]))  # noqa: B023
    assert load.failures == []


def test_a_killed_envoy_is_started_again_and_serves_what_was_accepted(rig: Rig) -> None:
    before = rig.pids()
    os.kill(before["gateway-1"] or 0, signal.SIGKILL)
    rig.until(lambda: rig.gateway.services(rig.now)["gateway-1"].state != "ready")
    assert rig.gateway.accepted == routes_digest((route(),))
    rig.until(lambda: rig.gateway.services(rig.now)["gateway-1"].state == "ready")
    assert rig.pids()["gateway-0"] == before["gateway-0"]
    os.kill(before["gateway-0"] or 0, signal.SIGKILL)
    rig.until(lambda: rig.gateway.services(rig.now)["gateway-0"].state != "ready")
    assert {rig.post().status for _ in range(10)} == {200}


def test_an_envoy_that_hangs_is_replaced(rig: Rig) -> None:
    hung = rig.pids()["gateway-1"] or 0
    os.kill(hung, signal.SIGSTOP)
    rig.ahead += 11.0  # a pause of the agent is not held against it
    rig.tick()
    assert rig.pids()["gateway-1"] == hung
    rig.ahead += 11.0
    rig.until(lambda: rig.pids()["gateway-1"] not in (None, hung))
    assert not running(hung)


def test_a_new_agent_adopts_what_runs(rig: Rig) -> None:
    before = rig.pids()
    with rig.load() as load:
        rig.next_agent()
        rig.want(route())
    assert rig.pids() == before
    assert load.failures == []


def test_a_new_agent_goes_on_where_the_old_one_was_killed(rig: Rig) -> None:
    wanted = (route("dev--w--b"),)
    with rig.load() as load:
        for _ in range(6):
            rig.gateway.want(wanted, rig.endpoints)
            rig.gateway.tick(rig.now)
            rig.next_agent()
            time.sleep(0.05)
        rig.want(*wanted)
    assert load.failures == []
    assert rig.post().json["name"] in ("b1", "b2")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"timeout": -1.0}, "refused the routes: Invalid duration: Expected positive duration"),
        ({"capacity": 10**10}, "refused the clusters: .*max_connections.*integer out of range"),
    ],
)
def test_a_table_that_envoy_refuses_is_told_and_the_old_one_serves(
    rig: Rig, wrong: dict[str, Any], reason: str
) -> None:
    accepted, config = rig.gateway.accepted, rig.folder / "gateway/config"
    before = {name: (config / name).read_text() for name in ("cds.json", "rds.json")}
    rig.gateway.want((route("dev--w--b", keys={"alice": "s3cret"}, **wrong),), rig.endpoints)
    rig.until(lambda: rig.gateway.rejected != "")
    assert re.search(reason, rig.gateway.rejected)
    assert "s3cret" not in rig.gateway.rejected
    rig.until(lambda: {name: (config / name).read_text() for name in before} == before)
    os.kill(
        rig.pids()["gateway-0"] or 0, signal.SIGKILL
    )  # one that starts anew must not find the refused table
    rig.until(lambda: rig.gateway.services(rig.now)["gateway-0"].state != "ready")
    rig.until(lambda: rig.gateway.services(rig.now)["gateway-0"].state == "ready")
    assert {rig.post().status for _ in range(20)} == {200}
    assert rig.gateway.accepted == accepted
    rig.want(route("dev--w--b"))
    assert rig.gateway.rejected == ""


def test_a_key_of_two_clients_is_told_without_the_key(rig: Rig) -> None:
    rig.gateway.want((route(keys={"alice": "s3cret", "bob": "s3cret"}),), rig.endpoints)
    rig.until(lambda: rig.gateway.rejected != "")
    assert rig.gateway.rejected == (
        "The endpoint dev/w has the same key for the clients alice and bob; give each its own."
    )
    assert rig.post().status == 200


def test_a_port_that_is_taken_is_told_before_anything_starts(rig: Rig) -> None:
    gateway = Gateway(GatewaySettings(port=rig.port), rig.folder / "other", rig.folder)
    with pytest.raises(MachineError, match=f"127.0.0.1:{rig.port}: .* has this port. Stop"):
        gateway.start(time.monotonic())
    assert gateway.services(time.monotonic()) == {}


def test_one_process_fewer_under_load_loses_nothing(rig: Rig) -> None:
    before = rig.pids()
    with rig.load() as load:
        rig.next_agent(processes=1)
        rig.gateway.want((route(),), rig.endpoints)
        rig.until(lambda: list(rig.pids()) == ["gateway-0"], within=15)
        sent = sum(load.answers.values())
        rig.until(lambda: sum(load.answers.values()) > sent + 100)
    assert load.failures == []
    assert not running(before["gateway-1"])
    rig.next_agent()


@pytest.mark.parametrize("graceful", [True, False])
def test_after_stop_nothing_runs_and_the_port_is_free(rig: Rig, graceful: bool) -> None:
    port = free_port()
    gateway = Gateway(
        GatewaySettings(port=port, processes=1), rig.folder / f"g{graceful}", rig.folder / f"g{graceful}"
    )
    gateway.start(time.monotonic())
    gateway.want((), {})
    while gateway.accepted != routes_digest(()):
        gateway.tick(time.monotonic())
        time.sleep(0.02)
    (service,) = gateway.services(time.monotonic()).values()
    gateway.stop(graceful)
    assert not running(service.pid)
    require_free("127.0.0.1", port)


def test_half_a_file_left_by_a_crash_is_written_again(rig: Rig) -> None:
    cds = rig.folder / "gateway/config/cds.json"
    cds.write_text(cds.read_text()[:100])
    rig.next_agent()
    rig.want(route())
    assert json.loads(cds.read_text())["resources"]
    assert rig.post().status == 200
