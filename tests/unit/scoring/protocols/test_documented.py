"""docs/protocols.md says what is so: which paths there are, and who may ask them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loopwright import routing
from loopwright.routing import Endpoint, Share, Table
from loopwright.scoring.logs import Log
from loopwright.scoring.protocol_paths import ProtocolPaths
from loopwright.scoring.protocols import openapi, tensors
from loopwright.scoring.service import Service
from loopwright.scoring.settings import Settings
from loopwright.scoring.telemetry import Telemetry
from loopwright.scoring.workers import WorkerPool

PAGE = (Path(__file__).parents[4] / "docs" / "protocols.md").read_text()
PATHS = re.findall(r"^\| `(GET|POST) (\S+)` \| ([a-z ]+) \|", PAGE, re.MULTILINE)
TOLD = {
    "workload": "w", "environment": "e", "revision": "r", "version": "w:3", "package": "/p", "entry": "s.py",
}  # fmt: skip
OF_APP = {"/", "/score", "/feedback", "/healthz", "/readyz"}  # the app's own


@pytest.fixture(scope="module")
def paths() -> ProtocolPaths:
    settings = msgspec.convert(TOLD | {"inputs": [{"name": "a", "type": "integer"}]}, Settings)
    telemetry = Telemetry(settings, Log())
    return ProtocolPaths(Service(settings, WorkerPool(settings, telemetry, Log()), telemetry))


def filled(path: str) -> str:
    return path.replace("{model}", "w").replace("{version}", "3")


def test_every_documented_path_is_there(paths: ProtocolPaths) -> None:
    assert len(PATHS) > 15
    for method, path, _ in PATHS:
        found = paths.find(filled(path))
        assert path in OF_APP or (found is not None and found.method == method), path


def test_every_path_that_is_there_is_documented(paths: ProtocolPaths) -> None:
    assert {*paths} | OF_APP <= {path for _, path, _ in PATHS}


def test_openapi_has_every_documented_path_and_says_who_may() -> None:
    told = TOLD | {"inputs": [{"name": "a", "type": "integer"}], "observations": {"folder": "/f"}}
    document = openapi.render(msgspec.convert(told, Settings), None, "/e/w", keyed=True)
    for method, path, who in PATHS:
        operation = document["paths"][path.replace("{model}", "w")][method.lower()]
        security = operation.get("security", document["security"])
        keys = [*security[0]] if security else []
        assert keys == {"all": [], "key": ["key"], "feedback key": ["feedback_key"]}[who], path


def who_may(path: str) -> str:
    """What the gateway says, by the first route that matches as Envoy reads them."""
    endpoint = Endpoint("e", "w", (Share("a"),), 1.0, keys={"a": "1"}, feedback_keys={"b": "2"})
    routes: list[dict[str, Any]] = routing.render_routes(Table((endpoint,)))["resources"][0]["virtual_hosts"][
        0
    ]["routes"]
    for route in routes:
        match = route["match"]
        exact, pattern = match.get("path"), match.get("safe_regex", {}).get("regex")
        if "headers" not in match and (exact == path or (pattern and re.fullmatch(pattern, path))):
            keys = route["typed_per_filter_config"]["keys"]
            return (
                "all"
                if "credentials" not in keys
                else {"1": "key", "2": "feedback key"}[keys["credentials"][0]["key"]]
            )
    return "nobody"


@pytest.mark.parametrize(("path", "who"), [(path, who) for _, path, who in PATHS])
def test_the_gateway_lets_in_who_is_said_to_be_let_in(path: str, who: str) -> None:
    assert who_may(f"/e/w{filled(path)}") == who


@pytest.mark.parametrize("path", ["/metrics", "/stats", "/own/stats"])
def test_what_is_said_to_be_private_is(path: str) -> None:
    assert who_may(f"/e/w{path}") == "nobody"


def test_every_parameter_that_is_refused_is_named() -> None:
    assert all(f"`{name}`" in PAGE for name in tensors._NOT_OFFERED)
