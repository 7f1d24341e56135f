"""Limits that let the replicas and not Envoy say no, and members that come and go."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright import routing
from loopwright.routing import Cluster, HostPort, Load, Member, Pipe


def limits(capacity: int) -> dict[str, int]:
    resource = routing.render_clusters([Cluster("a", capacity)], "/config")
    found: dict[str, int] = resource["resources"][0]["circuit_breakers"]["thresholds"][0]
    return found


@settings(deadline=None)  # a busy machine is slow
@given(st.integers(0, 1_000_000))
def test_every_limit_is_above_what_the_replicas_take(capacity: int) -> None:
    assert min(limits(capacity).values()) >= max(2 * capacity, 1024)
    assert set(limits(capacity)) == {"max_connections", "max_pending_requests", "max_requests", "max_retries"}


def test_a_little_more_capacity_does_not_rebuild_the_cluster() -> None:
    assert limits(600) == limits(900)


def test_what_a_replica_answers_never_ejects_it() -> None:
    (cluster,) = routing.render_clusters([Cluster("a")], "/config")["resources"]
    enforced = {
        name: value for name, value in cluster["outlier_detection"].items() if name.startswith("enforcing")
    }
    assert {name for name, value in enforced.items() if value} == {
        "enforcing_consecutive_local_origin_failure"
    }


def test_connections_are_let_go_before_the_replica_closes_them() -> None:
    (cluster,) = routing.render_clusters([Cluster("a")], "/config", idle_timeout=4.0)["resources"]
    (options,) = cluster["typed_extension_protocol_options"].values()
    assert options["common_http_protocol_options"]["idle_timeout"] == "4.000s"


MEMBERS = (Member(HostPort("10.0.0.1", 80)), Member(Pipe("/a.sock")), Member(Pipe("/b.sock"), draining=True))


def test_members_are_read_back_as_they_were_written() -> None:
    assert set(routing.members_in(routing.render_members("c", MEMBERS))) == set(MEMBERS)


def test_a_member_no_longer_wanted_drains_until_it_is_done() -> None:
    written = routing.render_members("c", MEMBERS)
    wanted = [Pipe("/a.sock"), Pipe("/new.sock")]
    assert set(routing.with_draining(wanted, written, drained=[Pipe("/b.sock")])) == {
        Member(Pipe("/a.sock")),
        Member(Pipe("/new.sock")),
        Member(HostPort("10.0.0.1", 80), draining=True),
    }


def test_a_draining_member_that_is_wanted_again_gets_work() -> None:
    members = routing.with_draining([Pipe("/b.sock")], routing.render_members("c", MEMBERS[2:]), ())
    assert members == (Member(Pipe("/b.sock")),)


A = Pipe("/a.sock")


@pytest.mark.parametrize(
    ("loads", "idle"),
    [
        ([], True),
        ([{}], True),
        ([{("c", A): Load(draining=True, active=0)}], True),
        ([{("c", A): Load(draining=True, active=1)}], False),
        ([{("c", A): Load(draining=False, active=0)}], False),
        ([{("c", A): Load(draining=True, active=0)}, {("c", A): Load(draining=False, active=0)}], False),
        ([{("other", A): Load(draining=False, active=9)}], True),
    ],
)
def test_a_member_is_idle_when_no_envoy_has_or_sends_it_anything(
    loads: list[routing.Loads], idle: bool
) -> None:
    assert routing.idle("c", A, loads) is idle


def test_envoys_clusters_are_read() -> None:
    stats = [
        {"name": "rq_active", "type": "GAUGE", "value": "2"},
        {"name": "rq_pending_active"},
        {"name": "rq_total", "value": "9"},
    ]
    host = {
        "address": {"pipe": {"path": "/a.sock"}},
        "stats": stats,
        "health_status": {"eds_health_status": "DRAINING"},
    }
    dump = {"cluster_statuses": [{"name": "c", "host_statuses": [host]}, {"name": "empty"}]}
    assert routing.loads_in(dump) == {("c", A): Load(draining=True, active=2)}
