"""What user code needs is there, and what is committed as the lock is what runs: seen from outside, with a workload that costs next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from driving import Cli
from tiny_workload import make_tiny

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cli, Path]]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    yield cli, make_tiny(tmp_path_factory.mktemp("work") / "tiny")
    cli("down")


def test_a_lock_that_is_committed_later_does_nothing_anew(tiny: tuple[Cli, Path]) -> None:
    cli, folder = tiny
    assert "`loopwright lock` would pin it in the folder" in cli("up", str(folder)).stdout
    written = cli.json("lock", str(folder))
    assert written["path"] == str(folder / "loopwright.lock")
    assert written["changed"] is True
    states = {step["step"]: step for step in _last(cli, folder)["steps"]}
    assert states["train"]["state"] == "cached"
    assert "loopwright lock" not in states["environment"]["message"]


def test_a_lock_that_does_not_fit_is_refused_before_anything_runs(tiny: tuple[Cli, Path]) -> None:
    cli, folder = tiny
    requirements = folder / "requirements.txt"
    before, facts = requirements.read_text(), len(cli.facts())
    requirements.write_text("six==1.17.0\n")
    try:
        for command in ("up", "validate"):
            told = cli(command, str(folder), expect=1).stderr
            assert "requirements.txt:1:1: found `six==1.17.0`, expected only what loopwright.lock" in told
    finally:
        requirements.write_text(before)
    assert len(cli.facts()) == facts


def test_nothing_trains_in_an_environment_that_somebody_installed_into(tiny: tuple[Cli, Path]) -> None:
    cli, folder = tiny
    (packages,) = (cli.home / "environments").glob("*/lib/python3*/site-packages")
    intruder = packages / "polars-1.0.dist-info"
    intruder.mkdir()
    script = folder / "train.py"
    script.write_text(script.read_text() + "\n# another version\n")
    try:
        told = cli("up", str(folder), expect=1).stderr
        assert "polars 1.0 is installed, the lock does not have it. Nothing starts in it." in told
    finally:
        intruder.rmdir()


def test_a_script_that_uses_mlflow_just_works(tiny: tuple[Cli, Path], tmp_path: Path) -> None:
    cli, _ = tiny
    folder = make_tiny(tmp_path / "tracked", name="tracked")
    (folder / "requirements.txt").write_text("mlflow-skinny==3.17.2\n")
    script = folder / "train.py"
    script.write_text(f"{script.read_text()}import mlflow\n\nmlflow.log_metric('of_my_own', 0.5)\n")
    cli("up", str(folder))
    run = cli.facts("run.created")[-1]["body"]["run"]
    url = cli.status()["tracking_url"]
    found = httpx.get(f"{url}/api/2.0/mlflow/runs/get", params={"run_id": run}).json()["run"]
    metrics = {metric["key"]: metric["value"] for metric in found["data"]["metrics"]}
    assert metrics["of_my_own"] == 0.5
    assert "evaluation.accuracy" in metrics
    assert found["info"]["status"] == "FINISHED"


def _last(cli: Cli, folder: Path) -> dict[str, list[dict[str, str]]]:
    import json

    events = [json.loads(line) for line in cli("up", str(folder), "--json").stdout.splitlines()]
    return next(event for event in reversed(events) if "steps" in event)  # type: ignore[no-any-return]
