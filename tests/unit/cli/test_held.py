"""What a rollback holds is told, and only where it is held."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from loopwright.cli import transfer, up
from loopwright.errors import ConflictError
from loopwright.state import StateFolder


class Answers:
    """A control plane whose newest change stands like this in prod."""

    def __init__(self, home: Path, state: str) -> None:
        self.state = StateFolder.resolve(str(home))
        steps = [{"step": "prod", "state": state, "message": "rolled back by bob", "ended_at": 2.0}]
        self._change = {"change": "toy-2", "steps": steps, "state": state, "version": 1, "requested_at": 1.0}

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/v1/changes":
            plan = {"plan": "", "warnings": []}
            return {"change": "toy-2", "workload": "toy", "new": False, "finished": False} | plan
        told = {"from": "toy:2", "to": "toy:1", "warm": True}
        return {"transfer": "toy-3", "workload": "toy", "environment": "prod"} | told

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        if path == "/v1/changes/toy-3":
            return self._change | {"state": "succeeded"}
        return {"workloads": [{"change": self._change}]} if path == "/v1/status" else self._change


@pytest.mark.parametrize(("state", "told"), [("held", True), ("done", False)])
def test_a_rollback_names_the_change_that_it_holds(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: str,
    told: bool,
) -> None:
    monkeypatch.setattr(transfer, "_client", lambda parsed: Answers(tmp_path, state))
    transfer.rollback(argparse.Namespace(home=str(tmp_path), words=[], comment="", json=False))
    assert (f"toy-2 is held: `loopwright up --home {tmp_path}`" in capsys.readouterr().out) is told


def test_up_that_does_not_wait_says_that_nothing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parsed = argparse.Namespace(
        home=str(tmp_path),
        folder=".",
        auto_approve=False,
        again=False,
        no_wait=True,
        json=False,
        foreground=False,
    )
    monkeypatch.setattr(up, "connect", lambda state: Answers(tmp_path, "held"))
    with pytest.raises(ConflictError, match=f"toy-2 is held: .*`loopwright up --home {tmp_path}`"):
        up.up(parsed)
    monkeypatch.setattr(up, "connect", lambda state: Answers(tmp_path, "running"))
    assert up.up(parsed) == 0
    assert f"`loopwright status --home {tmp_path}` too" in capsys.readouterr().out
