"""The main job: from a CSV to production, and again only what has changed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from driving import STEPS, Cli, Production

pytestmark = pytest.mark.acceptance


def states(cli: Cli, folder: Path) -> dict[str, str]:
    """Bring a folder to production; the state of each step at the end."""
    lines = cli("up", str(folder), "--auto-approve", "--json").stdout.splitlines()
    last = [json.loads(line) for line in lines if '"progress"' in line][-1]
    return {step["step"]: step["state"] for step in last["steps"]}


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


def test_a_changed_score_py_makes_a_new_package_without_training(
    production: Production, variant: Path
) -> None:
    (variant / "score.py").write_text((variant / "score.py").read_text() + "\n# changed\n")
    found = states(production.cli, variant)
    assert [step for step in STEPS if found[step] == "cached"] == ["data", "environment", "train"]


def test_a_changed_training_script_goes_on_from_training(production: Production, variant: Path) -> None:
    (variant / "training.py").write_text((variant / "training.py").read_text() + "\n# changed\n")
    found = states(production.cli, variant)
    assert found["data"] == found["environment"] == "cached"
    assert found["train"] == "done"


def test_the_run_in_mlflow_has_lineage_and_artifacts(production: Production) -> None:
    import httpx

    url = production.cli.json("status")["tracking_url"]
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


def test_a_script_that_uses_mlflow_just_works(production: Production, variant: Path) -> None:
    import httpx

    requirements = variant / "requirements.txt"
    requirements.write_text(requirements.read_text() + "mlflow-skinny==3.17.2\n")
    script = (variant / "training.py").read_text()
    logs = "    import mlflow\n\n    mlflow.log_metric('of_my_own', 0.5)\n"
    (variant / "training.py").write_text(script.replace("\nif __name__", f"{logs}\n\nif __name__"))
    states(production.cli, variant)
    run = next(fact for fact in reversed(production.cli.facts("run.created")))["body"]["run"]
    url = production.cli.json("status")["tracking_url"]
    found = httpx.get(f"{url}/api/2.0/mlflow/runs/get", params={"run_id": run}).json()["run"]
    metrics = {metric["key"]: metric["value"] for metric in found["data"]["metrics"]}
    assert metrics["of_my_own"] == 0.5
    assert "evaluation.accuracy" in metrics
    assert found["info"]["status"] == "FINISHED"
