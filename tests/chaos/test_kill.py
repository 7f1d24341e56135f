"""SIGKILL, then resume: one model version, one release, a whole ledger, and no failed request."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from driving import STEPS, Cli, Production
from tiny_workload import make_tiny
from waiting import until

pytestmark = pytest.mark.chaos
PAUSE = 0.05  # seconds between two requests of a client: the machine has more to do than to answer them


def process(cli: Cli, module: str) -> psutil.Process | None:
    """The process of ours that runs this module on this state folder."""
    for candidate in psutil.process_iter(["cmdline"]):
        words = candidate.info["cmdline"] or []  # empty for a zombie
        if module in words and str(cli.home) in words:
            return candidate
    return None


def kill(cli: Cli, module: str) -> None:
    """SIGKILL it, and see that it is gone."""
    found = until(lambda: process(cli, module))
    found.send_signal(signal.SIGKILL)
    until(lambda: not found.is_running() or found.status() == psutil.STATUS_ZOMBIE)


@contextmanager
def requests(serving: dict[str, Any]) -> Iterator[list[str]]:
    """Ask an endpoint all the time from four clients; the answers that were no 200 are gathered."""
    wrong: list[str] = []
    asked = [0] * 4
    end = threading.Event()

    def ask(index: int) -> None:
        with httpx.Client(headers={"authorization": f"Bearer {serving['key']}"}, timeout=30) as client:
            while not end.wait(PAUSE):
                try:
                    answer = client.post(serving["url"], json=serving["example"])
                except httpx.HTTPError as error:
                    wrong.append(repr(error))
                    continue
                asked[index] += 1
                if answer.status_code != 200:
                    wrong.append(f"{answer.status_code} {answer.text[:200]}")

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: min(asked) > 0)
        yield wrong
        before = list(asked)
        until(lambda: all(now > then for now, then in zip(asked, before, strict=True)))
    finally:
        end.set()
        for thread in threads:
            thread.join()


TESTS = """\
tests:
  functional: cases.yaml
  stress: {requests: 100, concurrency: 2, p99: 20s}
"""
CASES = "cases: [{name: high, request: {x: 0.9}, expect: {status: 200, values: {prediction: 1}}}]\n"


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """A small workload with every step, in production on a state folder of its own.

    Its training and the start of its script take a second, so that they are met.
    """
    cli = Cli(tmp_path_factory.mktemp("home"))
    environments = "{dev: {}, prod: {approval: required, serving: {replicas: {min: 2, max: 2}}}}"
    folder = make_tiny(tmp_path_factory.mktemp("work") / "tiny", environments=environments, more=TESTS)
    (folder / "cases.yaml").write_text(CASES)
    train, score = (folder / "train.py").read_text(), (folder / "score.py").read_text()
    (folder / "train.py").write_text(f"{train}import time\n\ntime.sleep(1)\n")
    (folder / "score.py").write_text(
        f"import time\n{score}".replace("def init():\n", "def init():\n    time.sleep(1)\n")
    )
    yield Production(cli, folder, cli("up", str(folder), "--auto-approve").stdout)
    cli("down")


@pytest.fixture
def variant(production: Production, tmp_path: Path) -> Path:
    return Path(shutil.copytree(production.folder, tmp_path / "tiny"))


def changed_everywhere(variant: Path, seed: int) -> Path:
    """Change the data, the requirements and the model, so that every step has work to do."""
    data, requirements, train = variant / "rows.csv", variant / "requirements.txt", variant / "train.py"
    lines = data.read_text().splitlines()
    data.write_text("\n".join(lines[: len(lines) - seed]) + "\n")
    requirements.write_text(f"{requirements.read_text()}# {seed}\n")
    train.write_text(train.read_text().replace(") / 2,", f") / 2 + {seed / 10_000},"))
    return variant


def test_the_control_plane_killed_in_each_step_goes_on_where_it_was(
    production: Production, variant: Path
) -> None:
    cli = production.cli
    folder = changed_everywhere(variant, 3)
    versions = len(cli.facts("release.completed"))
    with (
        requests(cli.serving()) as wrong,
        subprocess.Popen(
            cli.command("up", str(folder), "--auto-approve", "--json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=cli.environment(),
        ) as up,
    ):
        assert up.stdout is not None
        killed: set[str] = set()
        line = ""
        for line in up.stdout:
            steps = json.loads(line).get("steps", [])
            current = next(
                (
                    step["step"]
                    for step in steps
                    if step["state"] in ("running", "approval") and step["step"] not in killed
                ),
                None,
            )
            if current:
                killed.add(current)
                kill(cli, "loopwright.server")
        said = up.stderr.read() if up.stderr else ""
    assert up.returncode == 0, line + said
    assert wrong == []
    # A step as short as `register` may be over before its news arrives; half must have been met.
    assert len(killed) >= len(STEPS) // 2, killed
    released = cli.facts("release.completed")[versions:]
    assert [fact["body"]["environment"] for fact in released] == ["dev", "prod"]
    assert len({fact["body"]["version"] for fact in released}) == 1
    assert cli.json("history", "verify")["ok"]
    assert_registry_agrees(cli)


def assert_registry_agrees(cli: Cli) -> None:
    """As many model versions as packages were registered, and the alias where the ledger has it."""
    url = cli.status()["tracking_url"]
    found = httpx.get(f"{url}/api/2.0/mlflow/model-versions/search", params={"filter": "name='tiny'"}).json()[
        "model_versions"
    ]
    registered = [fact for fact in cli.facts("step.succeeded") if fact["body"]["step"] == "register"]
    assert len(found) == len(registered) == len({fact["body"]["output"]["version"] for fact in registered})
    alias = httpx.get(
        f"{url}/api/2.0/mlflow/registered-models/alias", params={"name": "tiny", "alias": "prod"}
    ).json()
    assert f"tiny:{alias['model_version']['version']}" == cli.serving()["version"]


def test_the_agent_killed_while_a_change_is_under_way_loses_nothing(
    production: Production, variant: Path
) -> None:
    cli = production.cli
    folder = changed_everywhere(variant, 5)
    before = {replica["pid"] for replica in cli.serving()["replicas"]}
    with (
        requests(cli.serving()) as wrong,
        subprocess.Popen(
            cli.command("up", str(folder), "--json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=cli.environment(),
        ) as up,
    ):
        assert up.stdout is not None
        killed = 0
        for line in up.stdout:
            steps = {step["step"]: step["state"] for step in json.loads(line).get("steps", [])}
            if (killed == 0 and steps.get("train") == "running") or (
                killed == 1 and steps.get("dev") == "running"
            ):
                killed += 1
                kill(cli, "loopwright.engines.local.agent")
            if steps.get("approval") == "approval":
                up.send_signal(signal.SIGINT)  # left, and come back to
                break
    assert killed == 2
    assert {replica["pid"] for replica in cli.serving()["replicas"]} == before
    assert wrong == []
    waiting = cli.status()["workloads"][0]["change"]["approval"]
    cli("approve", waiting, "--comment", "after the agent's death")
    cli("up", str(folder))
    decided = cli.facts("approval.decided")[-1]["body"]
    assert (decided["auto"], decided["comment"]) == (False, "after the agent's death")
    assert_registry_agrees(cli)


def test_a_replica_killed_under_load_costs_no_request_and_is_replaced(production: Production) -> None:
    cli = production.cli
    serving = cli.serving()
    victim = serving["replicas"][0]["pid"]
    with requests(serving) as wrong:
        os.kill(victim, signal.SIGKILL)
        until(
            lambda: (
                victim not in {replica["pid"] for replica in cli.serving()["replicas"]}
                and cli.serving()["ready"] >= 2
            )
        )
    assert wrong == []


def test_with_control_plane_and_agent_dead_the_endpoint_answers_and_they_come_back(
    production: Production,
) -> None:
    cli = production.cli
    with requests(cli.serving()) as wrong:
        kill(cli, "loopwright.engines.local.agent")
        kill(cli, "loopwright.server")
    assert wrong == []
    cli("up", str(production.folder), "--auto-approve")
    until(lambda: process(cli, "loopwright.engines.local.agent"))
    assert cli.json("history", "verify")["ok"]


def test_down_ends_all_that_dead_ones_have_left(production: Production) -> None:
    """Last here: it takes production down."""
    cli = production.cli
    kill(cli, "loopwright.engines.local.agent")
    kill(cli, "loopwright.server")
    cli("down")
    mark = f"{cli.home}/"
    assert [
        p.info["cmdline"]
        for p in psutil.process_iter(["cmdline"])
        if any(mark in w for w in p.info["cmdline"] or [])
    ] == []
    assert not cli.status()["running"]
