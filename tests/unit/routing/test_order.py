"""Whatever happens in whichever order, no Envoy ever has a route to a cluster that it does not have."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright import routing
from loopwright.routing import Acknowledgement, Cluster, Endpoint, Files, Member, Pipe, Resource, Share, Table


def wanted(*names: str, capacity: int = 1) -> Files:
    """A table with one endpoint that leads to each of these clusters."""
    shares = tuple(map(Share, names))
    table = Table(
        (Endpoint("dev", "w", shares, 5.0),) if names else (), tuple(Cluster(one, capacity) for one in names)
    )
    return Files(
        clusters=routing.render_clusters(table.clusters, "/config"),
        routes=routing.render_routes(table),
        members={one: routing.render_members(one, [Member(Pipe(f"/{one}.sock"))]) for one in names},
    )


def merged(written: Files, changes: Files) -> Files:
    members = {**written.members, **changes.members}
    return Files(
        clusters=changes.clusters or written.clusters,
        routes=changes.routes or written.routes,
        members={name: one for name, one in members.items() if one is not None},
    )


@dataclass(frozen=True)
class Envoy:
    """One that takes in files in its own time, clusters and routes independently."""

    clusters: Resource
    routes: Resource

    @property
    def acknowledgement(self) -> Acknowledgement:
        return Acknowledgement(routing.version_of(self.clusters), routing.version_of(self.routes))

    @property
    def whole(self) -> bool:
        return routing.clusters_routed(self.routes) <= routing.clusters_in(self.clusters).keys()


TABLES = st.lists(st.sampled_from("abcd"), unique=True, max_size=3).map(lambda names: wanted(*names))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("want"), TABLES),
        st.tuples(st.just("write"), st.none()),
        st.tuples(st.sampled_from(["clusters", "routes", "restart"]), st.integers(0, 1)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)  # a busy machine is slow
@given(STEPS)
def test_no_route_ever_leads_to_a_missing_cluster(steps: list[tuple[str, object]]) -> None:
    goal = written = wanted()
    assert written.clusters
    assert written.routes
    envoys = [Envoy(written.clusters, written.routes)] * 2
    for what, argument in steps:
        if isinstance(argument, Files):
            goal = argument
        elif isinstance(argument, int):
            envoys[argument] = taken_in(envoys[argument], what, written)
        else:
            written = write(goal, written, envoys)
        assert all(envoy.whole for envoy in envoys)
        assert set(written.members) >= routing.clusters_in(written.clusters).keys()
    for _ in range(4):  # and when all is quiet, what is wanted comes about, and no more than that
        written = write(goal, written, envoys)
        envoys = [taken_in(envoy, "restart", written) for envoy in envoys]
    assert written == goal
    assert routing.standing(goal, written, [envoy.acknowledgement for envoy in envoys]) == "accepted"


def write(goal: Files, written: Files, envoys: list[Envoy]) -> Files:
    return merged(written, routing.next_files(goal, written, [envoy.acknowledgement for envoy in envoys]))


def taken_in(envoy: Envoy, what: str, written: Files) -> Envoy:
    assert written.clusters
    assert written.routes
    if what == "restart":
        return Envoy(written.clusters, written.routes)
    return replace(envoy, **{what: getattr(written, what)})


def acknowledged(files: Files, warming: int = 0) -> Acknowledgement:
    assert files.clusters
    assert files.routes
    return Acknowledgement(routing.version_of(files.clusters), routing.version_of(files.routes), warming)


def test_members_do_not_wait_for_anything() -> None:
    goal = replace(wanted("a"), members={"a": routing.render_members("a", [])})
    assert routing.next_files(goal, wanted("a"), [Acknowledgement()]) == Files(members=goal.members)


def test_routes_wait_for_clusters_that_are_warming() -> None:
    goal, old = wanted("b"), wanted("a")
    written = merged(old, routing.next_files(goal, old, [acknowledged(old)]))
    assert not routing.next_files(goal, written, [acknowledged(written, warming=1)])
    assert routing.next_files(goal, written, [acknowledged(written)]).routes == goal.routes


def test_with_no_envoy_running_nothing_is_waited_for() -> None:
    written = Files()
    for _ in range(3):
        written = merged(written, routing.next_files(wanted("a"), written, []))
    assert written == wanted("a")


def test_nothing_is_accepted_while_nobody_runs() -> None:
    assert routing.standing(wanted("a"), wanted("a"), []) == "waiting"


def test_nothing_is_accepted_before_every_envoy_has_it() -> None:
    both = [acknowledged(wanted("a")), acknowledged(wanted("b"))]
    assert routing.standing(wanted("b"), wanted("b"), both) == "waiting"
    assert routing.standing(wanted("b"), wanted("b"), both[1:]) == "accepted"


def test_a_changed_limit_is_not_accepted_before_it_is_written() -> None:
    small, large = wanted("a"), wanted("a", capacity=5000)
    assert routing.standing(large, small, [acknowledged(small)]) == "waiting"
    assert routing.next_files(large, small, [acknowledged(small)]).clusters == large.clusters
