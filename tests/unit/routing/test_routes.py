"""Who may call what, where it goes, and what is tried again."""

from __future__ import annotations

from typing import Any

import pytest

from loopwright import routing
from loopwright.errors import EngineError
from loopwright.routing import Endpoint, Share, Table


def rendered(**more: Any) -> dict[str, Any]:
    shares = (Share("old", 90), Share("new", 10))
    endpoint = Endpoint("dev", "titanic", shares, timeout=2.5, **more)
    resource = routing.render_routes(Table((endpoint,)))
    routes: list[dict[str, Any]] = resource["resources"][0]["virtual_hosts"][0]["routes"]
    return next(one for one in routes if one["match"] == {"path": "/dev/titanic/score"})


def test_one_path_leads_to_the_shares_by_weight() -> None:
    route = rendered()
    assert route["match"] == {"path": "/dev/titanic/score"}
    assert route["route"]["weighted_clusters"]["clusters"] == [
        {"name": "old", "weight": 90},
        {"name": "new", "weight": 10},
    ]
    assert (route["route"]["timeout"], route["route"]["prefix_rewrite"]) == ("2.500s", "/score")


@pytest.mark.parametrize(
    ("idempotent", "retried"),
    [(True, {"connect-failure", "refused-stream", "reset"}), (False, {"connect-failure", "refused-stream"})],
)
def test_what_is_tried_again(idempotent: bool, retried: set[str]) -> None:
    policy = rendered(idempotent=idempotent)["route"]["retry_policy"]
    assert set(policy["retry_on"].split(",")) == retried
    assert "retriable_status_codes" not in policy
    assert policy["retry_host_predicate"][0]["name"] == "envoy.retry_host_predicates.previous_hosts"


def test_keys_belong_to_their_route() -> None:
    settings = rendered(keys={"bob": "2", "alice": "1"})["typed_per_filter_config"]["keys"]
    assert settings["credentials"] == [{"client": "alice", "key": "1"}, {"client": "bob", "key": "2"}]
    assert settings["forwarding"]["hide_credentials"] is True


def test_where_there_are_no_feedback_keys_nobody_may_write_labels() -> None:
    resource = routing.render_routes(Table((Endpoint("dev", "w", (Share("a"),), 1.0, keys={"a": "1"}),)))
    [feedback] = [
        one
        for one in resource["resources"][0]["virtual_hosts"][0]["routes"]
        if one["match"].get("path") == "/dev/w/feedback"
    ]
    assert feedback["typed_per_filter_config"]["keys"]["credentials"] == []


def test_grpc_goes_to_clusters_of_its_own() -> None:
    table = Table((Endpoint("dev", "w", (Share("a", 7),), 1.0, grpc=True),))
    resource = routing.render_routes(table)
    assert routing.clusters_routed(resource) == {"a", "a.grpc"}


def test_without_keys_the_route_is_open() -> None:
    assert rendered()["typed_per_filter_config"]["keys"]["disabled"] is True


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"alice": "k", "bob": "k"}, "has the same key for the clients alice and bob"),
        ({"alice": ""}, "has an empty key for the client alice"),
    ],
)
def test_keys_that_tell_nobody_apart_are_refused_without_being_repeated(
    keys: dict[str, str], message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        rendered(keys=keys)


def test_all_else_leads_nowhere() -> None:
    routes = routing.render_routes(Table())["resources"][0]["virtual_hosts"][0]["routes"]
    assert [route["direct_response"]["status"] for route in routes] == [404]


def test_the_clusters_that_routes_lead_to_are_read_back() -> None:
    endpoints = (
        Endpoint("dev", "t", (Share("a"), Share("b")), 1.0),
        Endpoint("dev", "u", (Share("c"),), 1.0),
    )
    assert routing.clusters_routed(routing.render_routes(Table(endpoints))) == {"a", "b", "c"}
    assert routing.clusters_routed(None) == frozenset()
