"""A disk that is full, and one that can only be read: it is said, nothing is lost, and with room it goes on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from driving import Cli
from survival import ANSWER, change, copy_workload, ended, until

pytestmark = pytest.mark.chaos
_SIZE = 24 * 1024**2


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or mount("-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)):
        pytest.skip("mounting a disk takes root's rights, in a container that has them too")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def mount(*words: str) -> int:
    return subprocess.run(["mount", *words], check=False, capture_output=True).returncode


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    return ballast


def trouble(cli: Cli) -> str:
    """What `status` says of it: for the whole loop, or of a step."""
    told = cli.json("status")
    steps = told["workloads"][0]["change"].get("steps", [])
    said = [told.get("trouble", ""), *(step["message"] for step in steps)]
    return next(
        (text for text in said if "Make room" in text or "cannot be recorded" in text or "space" in text), ""
    )


def test_a_full_disk_is_said_and_with_room_it_goes_on(disk: Path, tmp_path: Path) -> None:
    cli, folder = Cli(disk / "home"), copy_workload(tmp_path / "survival")
    try:
        cli("up", str(folder), "--no-wait")
        until(lambda: cli.facts("release.completed"))
        before = cli.serving("dev")
        approval = until(lambda: change(cli).get("approval"))
        ballast = fill(disk)
        refused = cli.run("approve", approval)
        if refused.returncode == 0:  # some pages of the write-ahead log were free: then the loop meets it
            until(lambda: trouble(cli))
        else:
            assert "disk" in refused.stderr
        right = {"authorization": f"Bearer {before['key']}"}
        assert httpx.post(before["url"], json=before["example"], headers=right).json() == ANSWER
        ballast.unlink()
        if refused.returncode:
            cli("approve", approval)
        if ended(cli)["state"] == "failed":
            cli("up", str(folder), "--auto-approve")
        assert cli.json("history", "verify")["ok"]
        assert [fact["body"]["environment"] for fact in cli.facts("release.completed")] == ["dev", "prod"]
    finally:
        cli("down")


def test_a_state_folder_that_can_only_be_read_is_said(disk: Path) -> None:
    cli = Cli(disk / "home")
    (disk / "home").mkdir()
    assert mount("-o", "remount,ro", str(disk)) == 0
    for words in (("server",), ("approve", "a-1-prod")):
        done = cli(*words, expect=1)
        assert "Traceback" not in done.stderr
    assert "Read-only file system" in cli("server", expect=1).stderr
