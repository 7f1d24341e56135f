"""The status says what a person has to do, of a change and of what brings a release about again."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from loopwright.cli import records
from loopwright.cli.client import Client
from loopwright.cli.readiness import readiness


def progress(change: str, approval: str) -> dict[str, Any]:
    return {"change": change, "state": "waiting", "steps": [], "approval": approval}


def test_what_is_brought_up_again_is_told_in_place_of_no_replicas() -> None:
    none = {"ready": 0, "wanted": 0}
    assert readiness(none) == "no replicas yet: they are brought up again"
    assert readiness(none | {"at_zero": True}) == "0 of 0 replicas ready (scaled to zero)"


@pytest.mark.parametrize(("change", "transfer"), [("", "toy-3-prod"), ("toy-1-prod", "")])
def test_an_open_approval_is_told_with_the_command_to_paste(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: str,
    transfer: str,
) -> None:
    workload = {
        "workload": "toy",
        "change": progress("toy-1", change),
        "folder": "/toy",
        "environments": {},
        "transfers": [progress("toy-3", transfer)],
    }
    found = {
        "home": str(tmp_path),
        "services": {},
        "tracking_url": "",
        "running": True,
        "workloads": [workload],
    }
    monkeypatch.setattr(Client, "running", lambda self: True)
    monkeypatch.setattr(Client, "get", lambda self, path, **query: json.loads(json.dumps(found)))
    records.status(argparse.Namespace(home=str(tmp_path), workload=None, json=False))
    asked = change or transfer
    assert capsys.readouterr().out.count(f"Waits for: loopwright approve {asked} --home {tmp_path}") == 1
