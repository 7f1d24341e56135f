"""A disk that is full, and one that can only be read: it is said, nothing is lost, and with room it goes on."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from disks import disk, fill, mount
from driving import Cli
from survival import ANSWER, change, copy_workload, ended
from waiting import until

pytestmark = pytest.mark.chaos
__all__ = ["disk"]


def test_a_full_disk_is_said_and_with_room_it_goes_on(disk: Path, tmp_path: Path) -> None:
    cli, folder = Cli(disk / "home"), copy_workload(tmp_path / "survival")
    try:
        cli("up", str(folder), "--no-wait")
        until(lambda: cli.facts("release.completed"))
        serving, approval = cli.serving("dev"), until(lambda: change(cli).get("approval"))
        ballast = fill(disk)
        assert "disk is full" in cli("approve", approval, expect=1).stderr
        assert "Make room" in until(lambda: cli.status()["trouble"])
        right = {"authorization": f"Bearer {serving['key']}"}
        assert httpx.post(serving["url"], json=serving["example"], headers=right).json() == ANSWER
        ballast.unlink()
        cli("approve", approval)
        assert ended(cli)["state"] == "succeeded"
        assert cli.status()["trouble"] == ""
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
