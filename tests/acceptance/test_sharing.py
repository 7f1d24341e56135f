"""Two people of one machine: who shares a state folder by a group, and what they may do. Real users, real sockets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import Cli
from tiny_workload import make_tiny

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(
        os.getuid() != 0 or shutil.which("setpriv") is None, reason="only root can act as several users"
    ),
]
OWNER, MEMBER, STRANGER = "root", "daemon", "nobody"
RULE = "{by: [daemon, nobody], not_author: true}"


@pytest.fixture(scope="module")
def cli() -> Iterator[Cli]:
    """A workload that waits for its approval in a state folder shared with the group `daemon`."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    cli = Cli(root / "home")
    cli.home.mkdir(mode=0o700)
    (cli.home / "settings.json").write_text(json.dumps({"group": "daemon"}))
    folder = make_tiny(root / "tiny", environments=f"{{prod: {{approval: {RULE}}}}}")
    try:
        cli("up", str(folder), "--no-wait")
        deadline = time.monotonic() + 180
        while "tiny-1-prod" not in cli.here("status").stdout:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield cli
    finally:
        cli("down")
        shutil.rmtree(root, ignore_errors=True)


def as_user(cli: Cli, user: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line as another user, with only that user's own group."""
    command = [
        "setpriv",
        f"--reuid={user}",
        f"--regid={user if user != STRANGER else 'nogroup'}",
        "--clear-groups",
    ]
    source = f"import sys; sys.path[:0] = {sys.path!r}; from loopwright.cli.main import main; main()"
    return subprocess.run(
        [*command, sys.executable, "-c", source, *words],
        env=cli.environment() | {"HOME": "/"},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_nothing_but_the_socket_is_shared(cli: Cli) -> None:
    assert cli.home.stat().st_mode & 0o077 == 0
    told = as_user(cli, STRANGER, "approve", "tiny-1-prod")
    assert told.returncode == 1
    assert "belongs to another user (uid 0), and is not shared with you" in told.stderr


def test_a_member_may_look_but_gets_no_keys_and_changes_nothing(cli: Cli) -> None:
    assert "tiny-1" in as_user(cli, MEMBER, "status").stdout
    told = as_user(cli, MEMBER, "rollback", "prod")
    assert told.returncode == 1
    assert "you may look, approve and reject" in told.stderr


def test_the_owner_is_not_among_those_who_may_and_the_member_is(cli: Cli) -> None:
    told = cli("approve", "tiny-1-prod", expect=1).stderr
    assert "root may not decide it: that is for daemon or nobody." in told
    done = as_user(cli, MEMBER, "approve", "tiny-1-prod", "--comment", "seen")
    assert done.returncode == 0, done.stderr
    (decided,) = cli.facts("approval.decided")
    assert (decided["actor"], decided["body"]["comment"]) == (MEMBER, "seen")
    told = as_user(cli, MEMBER, "approve", "tiny-1-prod").stderr
    assert "already approved by daemon" in told or "no longer under way" in told
