"""A state folder of release 0.1.0, stopped while production waited for a person, goes on with today's code."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from driving import Cli

pytestmark = pytest.mark.acceptance
OLD_STATE = Path(__file__).parents[1] / "data" / "state-0.1" / "state.tar.xz"


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The old folder, elsewhere than it was, and with ports of its own."""
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(OLD_STATE) as archive:
        archive.extractall(folder, filter="data")
    (folder / "state" / "settings.json").unlink()
    cli = Cli(folder / "state")
    yield cli
    cli("down")


def settled(cli: Cli) -> dict[str, Any]:
    """The workload's status, once its change has ended and both environments serve."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        workload: dict[str, Any] = cli.status()["workloads"][0]
        serving = json.dumps(workload["environments"])
        if workload["change"]["state"] in ("succeeded", "failed") and '"ready": 0' not in serving:
            return workload
        time.sleep(0.2)
    raise AssertionError(f"not within two minutes: {cli('status').stdout}")


def test_it_opens_and_its_history_holds(cli: Cli) -> None:
    assert "All 26 facts are as they were written" in cli("history", "verify").stdout
    assert cli.facts("release.completed")[0]["body"]["environment"] == "dev"


def test_a_plan_says_that_only_what_is_lost_is_made_again(cli: Cli) -> None:
    planned = cli.json("plan", str(OLD_STATE.parents[1] / "survival"))
    does = {step["step"]: step["does"] for step in planned["steps"] if step["does"] != "unchanged"}
    assert does == {"environment": "runs", "dev": "starts", "approval": "asks", "prod": "releases"}


def test_the_approval_that_waited_brings_it_to_production(cli: Cli) -> None:
    cli("approve", "survival-1-prod")
    workload = settled(cli)
    assert workload["change"]["state"] == "succeeded"
    for environment in ("dev", "prod"):
        serving = workload["environments"][environment]
        right = {"authorization": f"Bearer {serving['key']}"}
        answer = httpx.post(serving["url"], json=serving["example"], headers=right)
        assert answer.json() == {"prediction": 0, "probability": 0.1721}


def test_nothing_but_the_environment_was_done_again(cli: Cli) -> None:
    started = {fact["body"]["step"] for fact in cli.facts("step.started") if fact["sequence"] > 26}
    assert started <= {"environment", "dev", "approval", "prod"}
    assert cli.json("history", "verify")["ok"]
