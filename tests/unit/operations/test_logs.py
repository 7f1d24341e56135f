"""Logs and status of a state folder of which nothing runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright.cli.lifecycle import bring_down
from loopwright.errors import NotFoundError
from loopwright.ledger import open_ledger
from loopwright.loop.change import Change
from loopwright.operations.logs import stored_logs
from loopwright.operations.machine import doctor
from loopwright.operations.records import stopped_status
from loopwright.state import StateFolder


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """A change of `toy` whose train job left a log, and which was released to dev with two replicas."""
    state = StateFolder(tmp_path / "home")
    state.create()
    change = Change(
        id="toy-1", workload="toy", folder="/toy", spec="", files={}, sources={}, commit=None, dirty=False,
        diff=None, author="ada", auto_approve=False, actor="ada", requested_at=0.0,
    )  # fmt: skip
    ledger = open_ledger(state)
    ledger.append("change.requested", "toy", "toy-1", change.body(), "ada", 1.0)
    for number, step in enumerate(("data", "train")):
        body = {"change": "toy-1", "step": step, "inputs": "i", "job": f"toy.{step}.0"}
        ledger.append("step.started", "toy", f"toy-1/{step}", body, "loopwright", 2.0 + number)
        (state.jobs / f"toy.{step}.0").mkdir(parents=True)
        (state.jobs / f"toy.{step}.0" / "log.txt").write_text(f"said by {step}\n")
    body = {
        "change": "toy-1", "environment": "dev", "version": 3, "inputs": "i", "replica_set": "dev--toy--a",
        "package": {"digest": "d", "environment": "e", "run": "r"}, "revision": "a",
    }  # fmt: skip
    ledger.append("release.completed", "toy", "toy-1/dev/i", body, "loopwright", 4.0)
    ledger.close()
    for replica in ("1", "2"):
        folder = state.replicas / f"dev--toy--a.{replica}"
        folder.mkdir(parents=True)
        (folder / "log.txt").write_text("serving\n")
        (folder / "replica.json").write_text("{}")
    return state


def names(state: StateFolder, part: str | None) -> list[str]:
    return [file["name"] for file in stored_logs(state, "toy", part)["files"]]


def test_a_step_has_the_log_of_its_newest_job(state: StateFolder) -> None:
    (found,) = stored_logs(state, "toy", "data")["files"]
    assert Path(found["path"]).read_text() == "said by data\n"
    assert names(state, None) == ["train"]


def test_a_step_that_was_tried_again_has_the_log_of_each_try(state: StateFolder) -> None:
    ledger = open_ledger(state)
    body = {"change": "toy-1", "step": "train", "inputs": "i", "message": "no"}
    ledger.append("job.failed", "toy", "toy.train.0", body, "loopwright", 5.0)
    assert names(state, "train") == ["train"]  # the next try is still to come
    ledger.append("step.started", "toy", "toy-1/train/1", body | {"job": "toy.train.1"}, "loopwright", 6.0)
    ledger.close()
    (state.jobs / "toy.train.1").mkdir()
    (state.jobs / "toy.train.1" / "log.txt").write_text("said again\n")
    assert names(state, "train") == ["train, attempt 1", "train, attempt 2"]


def test_an_environment_has_one_log_for_each_replica(state: StateFolder) -> None:
    assert sorted(names(state, "dev")) == ["dev--toy--a.1", "dev--toy--a.2"]


@pytest.mark.parametrize(
    ("workload", "part", "told"), [("toy", "nope", "train, data, dev"), ("top", None, "Did you mean toy?")]
)
def test_what_has_no_log_is_told_with_what_has_one(
    state: StateFolder, workload: str, part: str | None, told: str
) -> None:
    with pytest.raises(NotFoundError, match=r"no log|No workload") as caught:
        stored_logs(state, workload, part)
    assert told in caught.value.message


def test_the_status_of_what_is_stopped_respects_the_name(state: StateFolder) -> None:
    (found,) = stopped_status(state, "toy")["workloads"]
    assert (found["change"], found["released"]) == ("toy-1", {"dev": "toy:3"})
    with pytest.raises(NotFoundError, match="nope"):
        stopped_status(state, "nope")


def test_down_leaves_nothing_in_a_folder_that_holds_nothing(tmp_path: Path) -> None:
    assert not bring_down(StateFolder(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_doctor_makes_no_state_folder(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "one" / "two")
    (check,) = [check for check in doctor(state)["checks"] if check["name"] == "state folder"]
    assert check["ok"]
    assert list(tmp_path.iterdir()) == []


def test_doctor_tells_of_a_state_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (check,) = [
        c for c in doctor(StateFolder(tmp_path / "file" / "x"))["checks"] if c["name"] == "state folder"
    ]
    assert not check["ok"]
