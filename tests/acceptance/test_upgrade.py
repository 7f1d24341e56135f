"""State folders of earlier releases, stopped while production waited for a person, go on with today's code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from driving import Cli
from old_state import OLD_STATES, OldState, lay_out_workload, unpack_old_state
from waiting import until

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module", params=OLD_STATES, ids=lambda old: f"of-{old.release}")
def old(request: pytest.FixtureRequest) -> OldState:
    found: OldState = request.param
    return found


@pytest.fixture(scope="module")
def cli(old: OldState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The old folder, elsewhere than it was, and with ports of its own."""
    cli = Cli(unpack_old_state(tmp_path_factory.mktemp("old"), old.release))
    yield cli
    cli("down")


@pytest.fixture(scope="module")
def folder(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workload that it works on, as it was then."""
    return lay_out_workload(cli, tmp_path_factory.mktemp("workload") / "survival")


def serving(cli: Cli) -> dict[str, Any]:
    """What each environment serves, once all of them do."""

    def look() -> dict[str, Any]:
        workload = cli.status()["workloads"][0]
        found: dict[str, Any] = workload["environments"]
        settled = workload["change"]["state"] in ("waiting", "succeeded", "failed")
        return found if settled and '"ready": 0' not in json.dumps(found) else {}

    found: dict[str, Any] = until(look)
    return found


def assert_they_answer(cli: Cli, old: OldState, versions: dict[str, int]) -> None:
    """Each environment with its version, by the key that its clients have."""
    keys = json.loads((cli.home / "endpoint-keys.json").read_text())
    found = serving(cli)
    for environment, version in versions.items():
        one = found[environment]
        right = {"authorization": f"Bearer {keys[f'{environment}/survival']}"}
        answer = httpx.post(one["url"], json=one["example"], headers=right, timeout=30)
        assert answer.json() == {"prediction": 0, "probability": old.answers[version]}, environment


def releases(cli: Cli) -> list[tuple[str, int]]:
    return [(f["body"]["environment"], f["body"]["version"]) for f in cli.facts("release.completed")]


def test_it_opens_and_its_history_holds(cli: Cli, old: OldState) -> None:
    assert f"All {old.facts} facts are as they were written" in cli("history", "verify").stdout
    assert dict(releases(cli)) == old.serving


def test_a_plan_says_that_only_what_is_lost_is_made_again(cli: Cli, folder: Path) -> None:
    planned = cli.json("plan", str(folder))
    does = {step["step"]: step["does"] for step in planned["steps"] if step["does"] != "unchanged"}
    assert does == {"environment": "runs", "dev": "starts", "approval": "asks", "prod": "releases"}


def test_what_served_serves_again_as_the_same_revision(cli: Cli, old: OldState) -> None:
    before = releases(cli)
    recorded = {fact["body"]["replica_set"] for fact in cli.facts("release.completed")}
    cli("clean", "--older-than", "0s")  # starts the control plane, and must not take away what is needed
    assert_they_answer(cli, old, dict(old.serving))
    assert set(json.loads((cli.home / "observed.json").read_bytes())["report"]["replica_sets"]) <= recorded
    assert releases(cli) == before


def test_the_approval_that_waited_brings_it_to_production(cli: Cli, old: OldState) -> None:
    before = releases(cli)
    cli("approve", old.waits)
    until(lambda: cli.status()["workloads"][0]["change"]["state"] == "succeeded")
    assert_they_answer(cli, old, {"dev": old.coming, "prod": old.coming})
    assert releases(cli) == [*before, ("prod", old.coming)]


def test_asked_for_the_same_again_it_does_nothing(cli: Cli, folder: Path) -> None:
    before = releases(cli)
    cli("up", str(folder))
    assert releases(cli) == before


def test_nothing_but_the_environment_was_done_again(cli: Cli, old: OldState) -> None:
    started = {fact["body"]["step"] for fact in cli.facts("step.started") if fact["sequence"] > old.facts}
    assert started <= {"environment", "dev", "approval", "prod"}
    assert cli.json("history", "verify")["ok"]


def test_requests_that_were_recorded_can_be_read_with_their_labels(cli: Cli, old: OldState) -> None:
    if not old.recorded:
        pytest.skip(f"release {old.release} recorded none")
    told = cli("observations", "survival", "--labels", "--json", "--role", "live", "--limit", "100").stdout
    rows = [json.loads(line) for line in told.splitlines()]
    ours = {row["client_id"]: row for row in rows if str(row["client_id"]).startswith("order-")}
    assert {name: row["version"] for name, row in ours.items()} == dict(old.recorded)
    assert [name for name, row in ours.items() if row.get("label") == 1] == ["order-1"]
