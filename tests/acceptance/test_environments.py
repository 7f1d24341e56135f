"""What environments promise: what serves is kept served, and can be taken back; through the real command line.

One production of a tiny workload for all of it: version 1 answers 1 above 0.5, version 2 answers 1 always.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from driving import Cli
from open_loop import OpenLoop
from tiny_workload import make_tiny
from waiting import until

from loopwright.state import StateFolder

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    environments = "{dev: {serving: {auth: none}}, prod: {serving: {replicas: {min: 2, max: 2}}}}"
    return make_tiny(tmp_path_factory.mktemp("work") / "tiny", environments=environments)


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Cli]:
    cli = Cli(tmp_path_factory.mktemp("state") / "home")
    try:
        cli("up", str(folder))
        always_one(folder)
        cli("up", str(folder))
        yield cli
    finally:
        cli("down")


def always_one(folder: Path, border: str = "-1") -> None:
    """Let training give another model."""
    script = folder / "train.py"
    script.write_text(
        script.read_text().replace("(sum(ones) / len(ones) + sum(zeros) / len(zeros)) / 2", border)
    )
    spec = folder / "loopwright.yaml"
    spec.write_text(spec.read_text().replace("min: 0.5", "min: 0.1"))


def ask(cli: Cli, environment: str = "prod", x: float = 0.1) -> int:
    serving = cli.serving(environment)
    headers = {"authorization": f"Bearer {serving['key']}"} if serving["key"] else {}
    answer = httpx.post(serving["url"], json={"x": x}, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    prediction: int = answer.json()["prediction"]
    return prediction


def observed(cli: Cli) -> dict[str, Any]:
    """What the agent sees."""
    report: dict[str, Any] = json.loads(StateFolder(cli.home).observed.read_bytes())["report"]
    return report


def all_ready(cli: Cli, environment: str = "prod") -> bool:
    serving = cli.serving(environment)
    return bool(serving["ready"] == serving["wanted"] > 0)


def test_each_environment_serves_with_its_own_settings(cli: Cli) -> None:
    dev, prod = cli.serving("dev"), cli.serving("prod")
    assert (dev["key"], dev["wanted"], prod["wanted"]) == (None, 1, 2)
    assert prod["key"]
    assert (ask(cli, "dev"), ask(cli, "prod")) == (1, 1)


def work_done(cli: Cli) -> list[tuple[str, str]]:
    """All that was trained, packaged, registered and released."""
    steps = ("data", "train", "package", "evaluate", "register")
    kinds = ("change.requested", "release.completed", "step.succeeded")
    return [
        (fact["kind"], fact["key"])
        for fact in cli.facts()
        if fact["kind"] in kinds and fact["body"].get("step", steps[0]) in steps
    ]


def test_a_rollback_under_load_fails_no_request(cli: Cli, folder: Path, tmp_path: Path) -> None:
    serving = cli.serving()
    with OpenLoop(serving["url"], serving["key"], {"x": 0.1}, 50, tmp_path / "asked") as load:
        answer = cli.json("rollback", "prod", "--comment", "always 1")
        assert ask(cli) == 0
    assert [asked for asked in load.asked if asked.status != 200] == []
    assert (answer["from"], answer["to"], answer["warm"]) == ("tiny:2", "tiny:1", True)
    release = cli.facts("release.completed")[-1]
    assert (release["body"]["by"], release["body"]["comment"]) == ("rollback", "always 1")
    assert ask(cli, "dev") == 1  # other environments stay


def test_a_change_that_was_rolled_back_is_held(cli: Cli, folder: Path) -> None:
    said = cli("up", str(folder), expect=1).stderr
    assert "tiny-2 is held: prod was rolled back by" in said
    assert "always 1" in said
    assert "loopwright up --again" in said
    planned = cli.json("plan", str(folder))
    assert {step["does"] for step in planned["steps"]} == {"unchanged", "held"}
    assert planned["changes"] is False
    assert cli.json("plan", str(folder), "--again")["changes"] is True
    assert ask(cli) == 0


def test_what_cannot_be_rolled_back_is_refused_in_a_sentence(cli: Cli) -> None:
    assert "tiny:1 is the first that prod served" in cli("rollback", expect=1).stderr
    assert "No environment 'test'" in cli("rollback", "test", expect=1).stderr
    assert "tiny:7 has never served in dev" in cli("rollback", "dev", "7", expect=1).stderr


def test_again_releases_what_was_rolled_back(cli: Cli, folder: Path) -> None:
    work = work_done(cli)
    cli("up", str(folder), "--again")
    assert ask(cli) == 1
    assert {kind for kind, _ in work_done(cli)[len(work) :]} == {"change.requested", "release.completed"}


def test_an_old_version_that_is_not_warm_is_started_first(cli: Cli, folder: Path) -> None:
    spec = folder / "loopwright.yaml"
    spec.write_text(spec.read_text().replace("prod: {", "prod: {keep_warm: 0s, "))
    script = folder / "train.py"
    script.write_text(script.read_text().replace("dump(-1,", "dump(-2,"))
    cli("up", str(folder))
    until(lambda: len([one for one in observed(cli)["replica_sets"] if one.startswith("prod--")]) == 1)
    answer = cli.json("rollback", "prod", "tiny:1")
    assert (answer["warm"], ask(cli)) == (False, 0)


def test_what_serves_is_brought_back_from_the_ledger_alone(cli: Cli) -> None:
    state, work = StateFolder(cli.home), work_done(cli)
    before = (cli.serving("prod")["version"], ask(cli))
    cli("down")
    for path in (state.desired, state.observed):
        path.unlink(missing_ok=True)
    for path in (state.environments, state.revisions, state.replicas):
        shutil.rmtree(path)
    server = subprocess.Popen(
        cli.command("server"), env=cli.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: cli.status()["running"] and all_ready(cli))
        assert (cli.serving("prod")["version"], ask(cli)) == before
        assert work_done(cli) == work
        assert {fact["body"]["environment"] for fact in cli.facts("release.restored")} == {"dev", "prod"}
        cli("down")
    finally:
        server.terminate()
        server.wait()
    cli("up", str(state.root.parent / "unused"), expect=1)  # a control plane again, for those who follow
