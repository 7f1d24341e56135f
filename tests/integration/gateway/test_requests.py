"""What a client gets from the gateway, and what a replica gets to see."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from gateway_rig import Rig, route


def test_without_keys_a_route_is_open(rig: Rig) -> None:
    answer = rig.post("/dev/w/score?a=1")
    assert (answer.status, answer.json["path"]) == (200, "/score")


@pytest.fixture
def keyed(rig: Rig) -> Rig:
    rig.want(route(keys={"alice": "key-of-alice", "bob": "key-of-bob"}), route(workload="open"))
    return rig


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"x_api_key": ""}, {"authorization": "Bearer "}]
)
def test_without_the_right_key_401(keyed: Rig, headers: dict[str, Any]) -> None:
    answer = keyed.post(**headers)
    assert (answer.status, answer.json["error"]["code"]) == (401, "unauthorized")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["error"]["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("headers", [{"authorization": "Bearer key-of-bob"}, {"x_api_key": "key-of-bob"}])
def test_the_right_key_is_told_by_name_and_goes_no_further(keyed: Rig, headers: dict[str, Any]) -> None:
    answer = keyed.post(**headers)
    seen = answer.json["headers"]
    assert (answer.status, seen["x-loopwright-client"]) == (200, "bob")
    assert "key-of-bob" not in json.dumps(seen)


def test_a_changed_key_counts_and_the_old_one_does_not(keyed: Rig) -> None:
    keyed.want(route(keys={"alice": "new"}))
    assert keyed.post(authorization="Bearer new").status == 200
    assert keyed.post(authorization="Bearer key-of-alice").status == 401


def test_what_only_the_gateway_may_say_is_stripped(rig: Rig) -> None:
    answer = rig.post(
        "/dev/w/score?sleep=0.2",
        x_loopwright_client="root",
        X_Loopwright_Other="x",
        x_envoy_upstream_rq_timeout_ms="1",
        x_envoy_max_retries="99",
        x_request_id="mine",
    )
    seen = answer.json["headers"]
    assert answer.status == 200
    ours = {name: value for name, value in seen.items() if name.startswith("x-loopwright-")}
    assert ours == {"x-loopwright-request-id": "mine", "x-loopwright-role": "live"}
    assert seen["x-request-id"] != "mine"


def test_the_replicas_own_request_id_reaches_the_client(rig: Rig) -> None:
    assert rig.post().headers["x-request-id"] in ("from-a1", "from-a2")


@pytest.mark.parametrize("path", ["/", "/dev/other/score", "/dev/w/score/more", "/dev/w", "/dev/w/metrics"])
def test_all_else_is_404(rig: Rig, path: str) -> None:
    answer = rig.post(path)
    assert (answer.status, answer.json["error"]["code"]) == (404, "not-found")


def test_other_methods_are_the_replicas_business(rig: Rig) -> None:
    assert rig.post("/dev/w/score?status=405", method="GET").status == 405


@pytest.mark.parametrize("code", [422, 500, 503, 504])
def test_a_replicas_error_passes_once_and_unchanged(rig: Rig, code: int) -> None:
    answer = rig.post(f"/dev/w/score?status={code}")
    assert (answer.status, answer.json["path"]) == (code, "/score")
    assert "x-envoy-attempt-count" not in answer.headers


def test_no_replica_503_with_retry_after(rig: Rig) -> None:
    rig.want(route("dev--w--none"))
    answer = rig.post()
    assert (answer.status, answer.json["error"]["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"


def test_too_late_504(rig: Rig) -> None:
    rig.want(route(timeout=0.2))
    answer = rig.post("/dev/w/score?sleep=3")
    assert (answer.status, answer.json["error"]["code"]) == (504, "timeout")


def test_secrets_are_for_their_owner_alone(rig: Rig) -> None:
    files = [*(rig.folder / "gateway/config").rglob("*.json"), *rig.folder.glob("gateway-*.sock")]
    assert len(files) >= 7
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_the_access_log_tells_who_asked_what_of_whom(keyed: Rig) -> None:
    asked = keyed.post(authorization="Bearer key-of-bob").json
    lines: list[dict[str, object]] = []

    def written() -> bool:
        entries = map(json.loads, Path(keyed.gateway.access_log).read_text().splitlines())
        lines[:] = [entry for entry in entries if entry.get("request_id") == asked["headers"]["x-request-id"]]
        return bool(lines)

    keyed.until(written, within=5)
    (line,) = lines
    told = {name: line[name] for name in ("client", "route", "cluster", "code", "method", "attempts")}
    assert told == {
        "client": "bob", "route": "dev/w", "cluster": "dev--w--a", "code": 200, "method": "POST", "attempts": 1,
    }  # fmt: skip
    assert str(line["replica"]).endswith(f"{asked['name']}-1.sock")
    assert "key-of-bob" not in json.dumps(line)
    assert time.strptime(str(line["time"])[:19], "%Y-%m-%dT%H:%M:%S")
