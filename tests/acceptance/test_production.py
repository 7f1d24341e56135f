"""The main job: from a CSV to production. That only what has changed is done again is told by test_plan."""

from __future__ import annotations

import json
import subprocess

import pytest
from driving import STEPS, Production

pytestmark = pytest.mark.acceptance


def test_the_curl_line_that_is_printed_answers_with_a_prediction(production: Production) -> None:
    line = next(line for line in production.said.splitlines() if line.startswith("curl "))
    done = subprocess.run(
        ["sh", "-c", f"{line} -w '\\n%{{http_code}}'"], capture_output=True, text=True, check=True
    )
    body, status = done.stdout.rsplit("\n", 1)
    assert status == "200"
    assert json.loads(body)["prediction"] in (0, 1)


def test_each_step_is_recorded_once(production: Production) -> None:
    succeeded = [
        fact["body"]["step"]
        for fact in production.cli.facts("step.succeeded")
        if fact["body"]["change"] == "titanic-1"
    ]
    released = [
        fact["body"]["environment"]
        for fact in production.cli.facts("release.completed")
        if fact["body"]["change"] == "titanic-1"
    ]
    assert sorted(succeeded + released) == sorted(STEPS)
    assert "as they were written" in production.cli("history", "verify").stdout


def test_an_automatic_approval_is_recorded_as_such(production: Production) -> None:
    decided = production.cli.facts("approval.decided")[0]["body"]
    assert decided["auto"] is True


def test_the_second_up_does_nothing_and_says_so(production: Production) -> None:
    before = len(production.cli.facts())
    assert "Nothing to do" in production.cli("up", str(production.folder)).stdout
    assert len(production.cli.facts()) == before


def test_the_run_in_mlflow_has_lineage_and_artifacts(production: Production) -> None:
    import httpx

    url = production.cli.status()["tracking_url"]
    version = httpx.get(
        f"{url}/api/2.0/mlflow/registered-models/alias", params={"name": "titanic", "alias": "prod"}
    ).json()["model_version"]
    run = httpx.get(f"{url}/api/2.0/mlflow/runs/get", params={"run_id": version["run_id"]}).json()["run"]
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    assert tags["mlflow.source.git.commit"]
    assert tags["mlflow.user"]
    assert run["info"]["status"] == "FINISHED"
    assert any(metric["key"] == "evaluation.accuracy" for metric in run["data"]["metrics"])


def test_an_endpoint_needs_its_key(production: Production) -> None:
    import httpx

    serving = production.cli.serving()
    assert httpx.post(serving["url"], json=serving["example"]).status_code == 401
    right = {"authorization": f"Bearer {serving['key']}"}
    assert httpx.post(serving["url"], json=serving["example"], headers=right).status_code == 200


def test_logs_show_what_training_said(production: Production) -> None:
    assert production.cli("logs", "titanic", "train").stdout.strip()
    assert "no log" in production.cli("logs", "titanic", "nonsense", expect=1).stderr


def test_following_several_replicas_names_each_lines_replica(production: Production) -> None:
    with subprocess.Popen(
        production.cli.command("logs", "titanic", "prod", "--follow"),
        stdout=subprocess.PIPE,
        text=True,
        env=production.cli.environment(),
    ) as following:
        assert following.stdout is not None
        seen: set[str] = set()
        while len(seen) < 2:
            line = following.stdout.readline()
            assert line, "the command ended"
            seen.add(line.partition(" | ")[0])
        following.terminate()
    assert all(name.startswith("prod--titanic--") for name in seen)
