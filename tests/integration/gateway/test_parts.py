"""The gateway's parts that need no Envoy: who is leaving, what statistics say, which address will do."""

from __future__ import annotations

import pytest

from loopwright import routing
from loopwright.engines.local.gateway_admin import parse_report
from loopwright.engines.local.gateway_departures import Departures
from loopwright.engines.local.gateway_port import address, require_free
from loopwright.errors import MachineError
from loopwright.routing import Load, Member, Pipe

A, B = Pipe("/a.sock"), Pipe("/b.sock")


class Leaving:
    """`Departures` with the file that it leads to, and a clock."""

    def __init__(self) -> None:
        self.departures, self.now = Departures(), 0.0
        self.members: tuple[Member, ...] = (Member(A), Member(B))

    def want(self, *wanted: Pipe) -> tuple[Member, ...]:
        written = {"c": routing.render_members("c", self.members)}
        self.members = self.departures.members({"c": wanted}, written, self.now)["c"]
        return self.members

    def observe(self, after: float, *loads: routing.Loads | None) -> None:
        self.now += after
        self.departures.observe(loads, 10.0, self.now)


IDLE: routing.Loads = {("c", A): Load(draining=True, active=0)}
BUSY: routing.Loads = {("c", A): Load(draining=True, active=1)}
DRAINING = (Member(B), Member(A, draining=True))


def test_a_replica_leaves_once_it_has_been_idle_for_a_moment() -> None:
    leaving = Leaving()
    assert leaving.want(B) == DRAINING
    leaving.observe(1.0, BUSY, IDLE)
    leaving.observe(1.0, IDLE, IDLE)
    assert leaving.want(B) == DRAINING
    leaving.observe(0.2, IDLE, IDLE)
    assert leaving.want(B) == (Member(B),)
    assert not leaving.departures.pending


def test_an_envoy_that_does_not_answer_may_still_use_it() -> None:
    leaving = Leaving()
    leaving.want(B)
    for _ in range(5):
        leaving.observe(1.0, IDLE, None)
    assert leaving.want(B) == DRAINING


def test_no_replica_is_waited_for_longer_than_a_request_can_take() -> None:
    leaving = Leaving()
    leaving.want(B)
    leaving.observe(11.0, BUSY)
    assert leaving.want(B) == (Member(B),)


def test_one_that_has_left_and_come_back_leaves_as_carefully_again() -> None:
    leaving = Leaving()
    leaving.want(B)
    leaving.observe(1.0, IDLE)
    leaving.observe(1.0, IDLE)
    assert leaving.want(B) == (Member(B),)
    assert set(leaving.want(A, B)) == {Member(A), Member(B)}
    assert leaving.want(B) == DRAINING


def test_statistics_are_read() -> None:
    report = parse_report(
        'cluster_manager.cds.version_text: "c1"\n'
        "cluster_manager.cds.update_rejected: 2\ncluster_manager.cds.update_failure: 1\n"
        "cluster_manager.warming_clusters: 3\nserver.state: 0\n"
        'http.gateway.rds.endpoints.version_text: "r1"\nlistener_manager.lds.version_text: ""\n'
    )
    assert report.acknowledgement == routing.Acknowledgement("c1", "r1", warming=3)
    assert (report.live, report.versions["listener"]) == (True, "")
    assert report.refusals == {"clusters": 3, "routes": 0, "listener": 0}


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "localhost"])  # noqa: S104
def test_addresses(host: str) -> None:
    assert address(host) == ("127.0.0.1" if host == "localhost" else host)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("gateway.example", 80, "'gateway.example', which is not an IP address"),
        ("192.0.2.77", 8080, "192.0.2.77:8080: this machine has no such address"),
        ("127.0.0.1", 70_000, "127.0.0.1:70000: .*Choose another host and port"),
    ],
)
def test_a_place_where_nobody_can_listen_is_told(host: str, port: int, message: str) -> None:
    with pytest.raises(MachineError, match=message):
        require_free(host, port)
