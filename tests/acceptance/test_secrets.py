"""Secrets reach user code and nothing else, though that code does its best to tell them; seen from outside."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from driving import Cli
from tiny_workload import make_tiny

pytestmark = pytest.mark.acceptance

TOKEN, ROTATED = "hunter22/+token", "renewed-33-token"
DATABASE = "first line of it\nsecond line of it"
TOLD = """
import base64, os, sys, time
T, D = os.environ.get("TOKEN", ""), os.environ.get("DATABASE", "")
print("here it is:", T, repr(T), base64.b64encode(b"x" + T.encode()).decode(), D, flush=True)
sys.stdout.write(T[:5]); sys.stdout.flush(); time.sleep(0.1); sys.stdout.write(T[5:] + "\\n"); sys.stdout.flush()
print({name: os.environ.get(name) for name in ("REGION", "COLOR", "TEAM_A", "DEPTH")}, file=sys.stderr)
"""
MORE = """
variables: {TOKEN: "secret:TOKEN", REGION: eu}
variable_groups: {colors: {file: colors.env}, team: {prefix: TEAM_}}
"""


@dataclass(frozen=True)
class Rig(Cli):
    """A command line whose callers have variables of their own."""

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "LOOPWRIGHT_HOME": str(self.home),
            "TEAM_A": "a",
            "LOOPWRIGHT_SECRET_DATABASE": DATABASE,
        }

    def set(self, name: str, value: str) -> None:
        subprocess.run(
            self.command("secrets", "set", name), input=f"{value}\n", env=self.environment(), text=True, check=True, capture_output=True
        )  # fmt: skip

    def left(self, *values: str) -> list[str]:
        """The files of the state folder in which a value is, however it is written."""
        wanted = [value.encode() for value in values]
        wanted += [base64.b64encode(b"x" + value.encode())[2:-4] for value in values]
        return [
            str(path)
            for path in self.home.rglob("*")
            if path.is_file() and not path.is_symlink() and any(value in content(path) for value in wanted)
        ]


def content(path: Path) -> bytes:
    """What a file holds; nothing where it was replaced since it was listed."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, Path]]:
    cli = Rig(tmp_path_factory.mktemp("home"))
    environments = "{dev: {}, prod: {variables: {DATABASE: 'secret:DATABASE'}}}"
    folder = make_tiny(tmp_path_factory.mktemp("work") / "tiny", environments=environments, more=MORE)
    (folder / "colors.env").write_text("export COLOR='dark blue'\n")
    for name in ("train.py", "score.py"):
        script = (folder / name).read_text()
        (folder / name).write_text(
            TOLD + script.replace("    asked = json", "    print('run', T, D)\n    asked = json")
        )
    told = cli("up", str(folder), expect=1).stderr
    assert "variables.TOKEN: found the secret TOKEN, which is not set" in told
    assert "`loopwright secrets set TOKEN` sets it" in told
    assert cli.facts("change.requested") == []
    cli.set("TOKEN", TOKEN)
    cli("up", str(folder))
    yield cli, folder
    cli("down")


def ask(cli: Rig, environment: str) -> None:
    serving = cli.serving(environment)
    key = json.loads((cli.home / "endpoint-keys.json").read_text())[f"{environment}/tiny"]
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(serving["url"], b'{"x": 0.1}', headers)
    assert urllib.request.urlopen(request, timeout=30).status == 200


def test_user_code_has_them_and_its_output_does_not(rig: tuple[Rig, Path]) -> None:
    cli, _ = rig
    said = cli("logs", "tiny", "train").stdout
    assert "here it is: *** '***' " in said
    assert "'COLOR': 'dark blue', 'TEAM_A': 'a'" in said
    ask(cli, "prod")
    assert "run *** \n" in cli("logs", "tiny", "dev").stdout  # the database is for prod alone
    assert "run *** ***\n" in cli("logs", "tiny", "prod").stdout


def test_no_file_of_the_state_folder_has_one(rig: tuple[Rig, Path]) -> None:
    cli, _ = rig
    ask(cli, "prod")
    assert cli.left(TOKEN, *DATABASE.splitlines()) == []
    told = cli("history", "--limit", "1000", "--json").stdout + cli("status", "--json").stdout
    assert TOKEN not in told
    assert [(fact["key"], fact["body"]["source"]) for fact in cli.facts("secret.set")] == [
        ("TOKEN", "set"),
        ("DATABASE", "environment"),
    ]


def test_a_renewed_secret_restarts_what_uses_it_and_trains_nothing(rig: tuple[Rig, Path]) -> None:
    cli, folder = rig
    cli.set("TOKEN", ROTATED)
    events = [json.loads(line) for line in cli("up", str(folder), "--json").stdout.splitlines()]
    steps = {
        step["step"]: step["state"]
        for step in next(one for one in reversed(events) if "steps" in one)["steps"]
    }
    assert steps["train"] == steps["package"] == "cached"
    assert steps["dev"] == steps["prod"] == "done"
    assert cli.left(TOKEN, ROTATED) == []


def test_commands_of_secrets(rig: tuple[Rig, Path]) -> None:
    cli, _ = rig
    listed = {one["name"]: one for one in cli.json("secrets", "list")}
    assert listed["TOKEN"]["workloads"] == ["tiny"]
    assert "not taken from the command line" in cli("secrets", "set", "OTHER", "value", expect=2).stderr
    assert (
        "No secret OTHER is set. Set are: DATABASE, TOKEN."
        in cli("secrets", "remove", "OTHER", expect=1).stderr
    )
