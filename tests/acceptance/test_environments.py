"""What environments promise: what serves is kept served, and can be taken back; through the real command line.

One production of a tiny workload for all of it: version 1 answers 1 above 0.5, version 2 answers 1 always.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from driving import Cli
from tiny_workload import make_tiny

from loopwright.state import StateFolder

pytestmark = pytest.mark.acceptance
PATIENCE = 120.0  # seconds; the machine may have much else to do


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


def until(true: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
    return found


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


def test_what_serves_is_brought_back_from_the_ledger_alone(cli: Cli) -> None:
    state, before, work = StateFolder(cli.home), cli.serving("prod")["version"], work_done(cli)
    cli("down")
    for path in (state.desired, state.observed):
        path.unlink(missing_ok=True)
    for path in (state.environments, state.revisions, state.replicas):
        shutil.rmtree(path)
    server = subprocess.Popen(
        cli.command("server"), env=cli.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: cli.json("status")["running"] and all_ready(cli))
        assert (cli.serving("prod")["version"], ask(cli)) == (before, 1)
        assert work_done(cli) == work
        assert {fact["body"]["environment"] for fact in cli.facts("release.restored")} == {"dev", "prod"}
        cli("down")
    finally:
        server.terminate()
        server.wait()
    cli("up", str(state.root.parent / "unused"), expect=1)  # a control plane again, for those who follow
