"""What serves is served again: from a backup elsewhere, and after a reboot by what systemd starts."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from driving import Cli
from survival import ANSWER, copy_workload
from waiting import until

from loopwright.state import StateFolder

pytestmark = pytest.mark.acceptance


@contextmanager
def load(serving: dict[str, Any]) -> Iterator[list[int]]:
    """Ask without pause; the status of each answer is gathered."""
    statuses: list[int] = []
    end = threading.Event()

    def ask() -> None:
        with httpx.Client(headers={"authorization": f"Bearer {serving['key']}"}, timeout=30) as client:
            while not end.is_set():
                statuses.append(client.post(serving["url"], json=serving["example"]).status_code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        end.set()
        for thread in threads:
            thread.join()


def answer(serving: dict[str, Any], key: str) -> Any:
    right = {"authorization": f"Bearer {key}"}
    return httpx.post(serving["url"], json=serving["example"], headers=right).json()


def answers(serving: dict[str, Any], key: str) -> bool:
    with suppress(httpx.HTTPError):
        return bool(answer(serving, key) == ANSWER)
    return False


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The small workload in production."""
    folder = tmp_path_factory.mktemp("serving")
    cli = Cli(folder / "home")
    try:
        cli("up", str(copy_workload(folder / "survival")), "--auto-approve")
        yield cli
    finally:
        cli("down")


def test_what_serves_is_backed_up_under_load_and_served_again_elsewhere(cli: Cli, tmp_path: Path) -> None:
    other, file = Cli(tmp_path / "other"), tmp_path / "backup.tar.gz"
    before = cli.serving()
    try:
        with load(before) as statuses:
            until(lambda: len(statuses) > 20)
            cli("backup", str(file))
            enough = len(statuses) + 20
            until(lambda: len(statuses) > enough)
        assert set(statuses) == {200}
        assert cli.facts("state.backed-up")[-1]["body"]["file"] == file.name
        restored = other.json("restore", str(file), "--start")  # while the first still runs and has its ports
        assert len(restored["ports_taken"]) == 2
        after = until(lambda: found if (found := other.serving())["ready"] else None)
        assert (after["version"], after["package"]) == (before["version"], before["package"])
        assert after["url"] != before["url"]
        assert answer(after, before["key"]) == ANSWER == answer(before, before["key"])
    finally:
        other("down")
    assert other.facts("state.restored")[0]["body"]["sequence"] == restored["sequence"]
    assert [fact["body"]["step"] for fact in other.facts("step.succeeded")] == [
        fact["body"]["step"] for fact in cli.facts("step.succeeded")
    ]
    assert other.json("history", "verify")["ok"]


def test_after_a_reboot_all_is_served_again_by_what_systemd_starts(cli: Cli) -> None:
    before = cli.serving()
    unit = cli("service", "install", "--print").stdout
    (start,) = [
        line.removeprefix("ExecStart=") for line in unit.splitlines() if line.startswith("ExecStart=")
    ]
    power_off(cli)
    with subprocess.Popen(shlex.split(start), env=cli.environment(), stderr=subprocess.DEVNULL) as control:
        try:
            after = until(lambda: found if (found := served(cli)) and found["ready"] else None)
            assert (after["url"], after["version"]) == (before["url"], before["version"])
            until(
                lambda: answers(after, before["key"])
            )  # the gateway is back, and has heard of the new replicas
        finally:
            control.kill()  # systemd's to start again: the agent leaves that to it
        control.wait()
        assert answer(after, before["key"]) == ANSWER
    assert cli.json("history", "verify")["ok"]


def served(cli: Cli) -> dict[str, Any] | None:
    """What prod serves, once a control plane answers."""
    done = cli.here.run("status", "--json")
    told = json.loads(done.stdout) if done.returncode == 0 else {}
    return told["workloads"][0]["environments"]["prod"] if told.get("running") else None


def power_off(cli: Cli) -> None:
    """SIGKILL everything of this state folder at once, and take the sockets away as a reboot does."""
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = " ".join(process.info["cmdline"] or [])
        part = (process.info["environ"] or {}).get("LOOPWRIGHT_PART", "")
        if str(cli.home) in words or part.startswith(str(cli.home)):
            with suppress(psutil.NoSuchProcess):
                process.kill()
    shutil.rmtree(StateFolder(cli.home).sockets)
