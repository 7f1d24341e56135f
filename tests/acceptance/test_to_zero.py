"""A workload that may have no replicas: released, let go to zero, and woken by a request."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from driving import Cli
from tiny_workload import make_tiny
from waiting import until

pytestmark = pytest.mark.acceptance
ZERO = "{dev: {serving: {replicas: {min: 0, max: 1, scale_to_zero_after: 1s}}}}"


@pytest.fixture
def cli() -> Iterator[Cli]:
    with tempfile.TemporaryDirectory(prefix="lw-", ignore_cleanup_errors=True) as folder:
        cli = Cli(Path(folder) / "home")
        yield cli
        cli.run("down")


def test_a_release_checks_a_replica_goes_to_zero_and_is_woken_by_a_request(cli: Cli) -> None:
    cli("up", str(make_tiny(cli.home.parent / "tiny", environments=ZERO)))
    assert [fact["body"]["replicas"] for fact in cli.facts("release.checked")] == [1]
    until(lambda: cli.serving("dev")["at_zero"], 60)
    assert "0 of 0 replicas ready (scaled to zero)" in cli("status").stdout
    serving = cli.serving("dev")
    headers = {"authorization": f"Bearer {serving['key']}"}
    assert httpx.post(serving["url"], json=serving["example"], headers=headers, timeout=60).status_code == 200
    assert len(cli.facts("release.settled")) == 1
    assert "Nothing to do" in cli("up", str(cli.home.parent / "tiny")).stdout
