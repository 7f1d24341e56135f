"""Two control planes on one state: one decides, and what it leaves the other brings to its end, once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import postgres
import pytest
from driving import Cli
from survival import ANSWER, change, copy_workload, ended
from waiting import until

from loopwright.cli.client import Client
from loopwright.state import StateFolder

pytestmark = pytest.mark.chaos
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def database_server() -> Iterator[postgres.Postgres]:
    with postgres.running() as running:
        yield running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `loopwright server` on a state folder; what still runs at the end is ended."""
    with ExitStack() as stack:

        def begin(cli: Cli, *words: str) -> subprocess.Popen[str]:
            homes.append(cli)
            log = stack.enter_context((tmp_path / f"server-{len(started)}.log").open("w+"))
            started.append(
                subprocess.Popen(
                    cli.command("server", *words), stdout=log, stderr=log, text=True, env=cli.environment()
                )
            )
            return started[-1]

        started: list[subprocess.Popen[str]] = []
        homes: list[Cli] = []
        yield begin
        for process in started:
            process.kill()
            process.wait()
        for one in homes:
            one("down")


def home(folder: Path, ledger: str = "") -> Cli:
    """A state folder whose ledger is a file or this database."""
    folder.mkdir()
    if ledger:
        (folder / "settings.json").write_text(json.dumps({"ledger": ledger}))
    return Cli(folder)


def runs(cli: Cli, process: subprocess.Popen[str]) -> bool:
    """Whether this process is the control plane that answers."""
    health = Client(StateFolder(cli.home)).health()
    return health is not None and health["pid"] == process.pid


def assert_done_once(cli: Cli) -> None:
    """Both environments serve what was released to them once, from one training and one model version."""
    facts = cli.facts()
    succeeded = [fact["body"]["step"] for fact in facts if fact["kind"] == "step.succeeded"]
    assert len(succeeded) == len(set(succeeded)), succeeded
    released = [fact["body"] for fact in facts if fact["kind"] == "release.completed"]
    assert [(body["environment"], body["version"]) for body in released] == [("dev", 1), ("prod", 1)]
    assert cli.json("history", "verify")["ok"]
    serving = cli.serving()
    right = {"authorization": f"Bearer {serving['key']}"}
    assert httpx.post(serving["url"], json=serving["example"], headers=right).json() == ANSWER


def test_the_second_is_refused_or_waits_and_completes_what_the_killed_first_began(
    tmp_path: Path, start: Start
) -> None:
    cli = home(tmp_path / "home")
    first = start(cli)
    until(lambda: runs(cli, first))
    refused = cli("server", expect=1)
    assert f"Another control plane (pid {first.pid}) holds" in refused.stderr
    second = start(cli, "--wait")
    cli("up", str(copy_workload(tmp_path / "survival")), "--auto-approve", "--no-wait")
    until(lambda: len(change(cli).get("steps", [])) and cli.facts("run.created"))
    first.kill()
    until(lambda: runs(cli, second))
    assert ended(cli)["state"] == "succeeded"
    assert [fact["key"] for fact in cli.facts("control.started")] == ["1", "2"]
    assert_done_once(cli)
    third = start(cli, "--wait")
    until(lambda: "Waiting for it to end" in (tmp_path / "server-2.log").read_text())
    cli("down")  # of all: who stands by must not bring it up again
    assert (second.wait(60), third.wait(60)) == (0, 0)
    assert not cli.status()["running"]


HOLD = """import sys, time
from pathlib import Path
from loopwright.locks import take
assert take(Path(sys.argv[1])) is not None
print("held", flush=True)
time.sleep(600)
"""
CONNECT = """import sys
from pathlib import Path
from loopwright.cli.client import connect
from loopwright.state import StateFolder
connect(StateFolder(Path(sys.argv[1])))
"""


def test_who_was_refused_starts_anew_once_the_one_that_was_first_is_killed(tmp_path: Path) -> None:
    cli = home(tmp_path / "home")
    state = StateFolder(cli.home)
    state.create()
    state.control_log.touch()
    command = [sys.executable, "-c", HOLD, str(state.control_lock)]
    with ExitStack() as stack:
        first = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
        stack.callback(first.kill)
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        asking = stack.enter_context(subprocess.Popen([sys.executable, "-c", CONNECT, str(cli.home)]))
        until(lambda: "Another control plane" in state.control_log.read_text(), 60)
        first.kill()
        assert asking.wait(60) == 0
    cli("down")


def test_a_database_server_killed_in_the_middle_of_a_change_holds_it_up_and_no_more(
    tmp_path: Path, start: Start, database_server: postgres.Postgres
) -> None:
    cli = home(tmp_path / "home", database_server.url(database_server.database()))
    control = start(cli)
    until(lambda: runs(cli, control))
    cli("up", str(copy_workload(tmp_path / "survival")), "--auto-approve", "--no-wait")
    for kind in ("run.created", "route.wanted"):
        until(lambda kind=kind: cli.facts(kind))
        database_server.kill()
        assert runs(cli, control)
        database_server.start()
    assert ended(cli)["state"] == "succeeded"
    assert control.poll() is None
    assert [fact["key"] for fact in cli.facts("control.started")] == ["1"]
    assert_done_once(cli)
    cli("down")
    assert not (cli.home / "ledger.db").exists()
    assert "facts are as they were written" in cli("history", "verify").stdout


def test_one_that_was_stopped_while_another_took_over_can_write_no_more_and_ends(
    tmp_path: Path, start: Start, database_server: postgres.Postgres
) -> None:
    database = database_server.database()
    cli = home(tmp_path / "home", database_server.url(database))
    first = start(cli)
    until(lambda: runs(cli, first))
    other = home(tmp_path / "other", database_server.url(database))
    for name in ("ledger.key", "ledger.head"):
        shutil.copy(cli.home / name, other.home / name)
    second = start(other, "--wait")
    first.send_signal(signal.SIGSTOP)
    database_server.end_sessions(database)  # as the server does once it has lost its client
    until(lambda: runs(other, second))
    os.kill(first.pid, signal.SIGCONT)
    assert first.wait(60) == 1
    facts = other.facts()
    assert [fact["key"] for fact in facts if fact["kind"] == "control.started"] == ["1", "2"]
    assert other.json("history", "verify")["ok"]
