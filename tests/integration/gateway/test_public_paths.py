"""Which of a replica's paths clients reach below an endpoint's prefix, and with which key."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_rig import Rig, route


@pytest.fixture
def keyed(rig: Rig) -> Rig:
    rig.want(
        route(keys={"alice": "key"}, feedback_keys={"labels": "label-key"}), route(workload="open"), route(workload="o.en")
    )  # fmt: skip
    return rig


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("score?a=1", "/score"),
        ("invocations", "/invocations"),
        ("version", "/version"),
        ("openapi.json", "/openapi.json"),
        ("swagger.json", "/swagger.json"),
        ("v2", "/v2"),
        ("v2/models/w/infer?x", "/v2/models/w/infer"),
    ],
)
def test_what_asks_the_model_needs_a_key(keyed: Rig, path: str, seen: str) -> None:
    assert keyed.post(f"/dev/w/{path}").status == 401
    answer = keyed.post(f"/dev/w/{path}", authorization="Bearer key")
    assert (answer.status, answer.json["path"]) == (200, seen)
    assert keyed.post(f"/dev/open/{path}").status == 200


def test_mlflows_deployments_reach_it_below_the_environment(keyed: Rig) -> None:
    assert keyed.post("/dev/endpoints/w/invocations").status == 401
    answer = keyed.post("/dev/endpoints/w/invocations", authorization="Bearer key")
    assert (answer.status, answer.json["path"]) == (200, "/invocations")
    assert keyed.post("/dev/endpoints/open/invocations").status == 200
    for other in (
        "/dev/endpoints/w/score",
        "/dev/endpoints/none/invocations",
        "/prod/endpoints/open/invocations",
    ):
        assert keyed.post(other, authorization="Bearer key").status == 404


@pytest.mark.parametrize(
    "path", ["", "healthz", "readyz", "ping", "docs", "v2/health/live", "v2/health/ready"]
)
def test_health_and_the_page_are_open(keyed: Rig, path: str) -> None:
    answer = keyed.post(f"/dev/w/{path}", method="GET")
    assert (answer.status, answer.json["path"]) == (200, f"/{path}")


@pytest.mark.parametrize(
    "path",
    ["metrics", "stats", "v2/models/../../metrics", "x/../stats", "scores", "v2x", "openapiXjson", "docs/x", "//metrics",
     "v2/repository/index"],
)  # fmt: skip
def test_nothing_else_is_reached(keyed: Rig, path: str) -> None:
    assert keyed.post(f"/dev/w/{path}", authorization="Bearer key").status == 404
    assert keyed.post(f"/dev/oxen/{path}").status == 404


def test_a_scoring_key_writes_no_labels_and_a_label_key_scores_nothing(keyed: Rig) -> None:
    assert keyed.post("/dev/w/feedback", authorization="Bearer label-key").json["path"] == "/feedback"
    assert keyed.post("/dev/w/feedback", authorization="Bearer key").status == 401
    assert keyed.post("/dev/w/score", authorization="Bearer label-key").status == 401


@pytest.mark.parametrize("keys", [{}, {"alice": "key"}])
def test_what_comes_with_the_test_key_is_no_live_request(rig: Rig, keys: dict[str, str]) -> None:
    rig.want(route(keys=keys, test_keys={"test": "test-key"}))
    told: dict[str, Any] = {"authorization": "Bearer test-key"}
    seen = rig.post("/dev/w/score", **told).json["headers"]
    assert (seen["x-loopwright-role"], seen["x-loopwright-client"]) == ("test", "test")
    assert "test-key" not in str(seen)
    assert rig.post("/dev/w/feedback", **told).status == 401
    assert rig.post("/dev/w/score", authorization="Bearer key").json["headers"]["x-loopwright-role"] == "live"


def test_labels_need_a_key_also_where_scoring_needs_none(keyed: Rig) -> None:
    assert keyed.post("/dev/open/feedback").status == 401


def test_a_browser_may_ask_without_a_key_whether_a_page_may_ask(keyed: Rig) -> None:
    headers: dict[str, Any] = {"origin": "http://x", "access_control_request_method": "POST"}
    assert keyed.post("/dev/w/score", method="OPTIONS", **headers).status == 200
    assert keyed.post("/dev/w/score", method="OPTIONS").status == 401
    assert keyed.post("/dev/w/score", **headers).status == 401


def test_the_replica_is_told_role_prefix_and_the_clients_own_id(keyed: Rig) -> None:
    told: dict[str, Any] = {"x_loopwright_role": "test", "x_loopwright_prefix": "/x", "x_request_id": "mine"}
    seen = keyed.post("/dev/w/openapi.json", authorization="Bearer key", **told).json["headers"]
    assert seen["x-loopwright-role"] == "live"
    assert seen["x-loopwright-prefix"] == "/dev/w"
    assert seen["x-loopwright-request-id"] == "mine"
    assert seen["x-request-id"] != "mine"
    told["x_request_id"] = "x" * 5000
    seen = keyed.post("/dev/w/openapi.json", authorization="Bearer key", **told).json["headers"]
    assert seen["x-loopwright-request-id"] == "x" * 200
    assert "x-loopwright-request-id" not in keyed.post("/dev/open/score").json["headers"]
