"""The driver's own care: what one workload's files are like must not hold up the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from model_world import Life
from tiny_workload import make_tiny

from loopwright.errors import ConflictError, TemporaryError
from loopwright.loop.change import Change
from loopwright.operations import approving, changes, promoting, records, rollback
from loopwright.spec import Workload


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    life = Life(tmp_path / "home")
    yield life
    life.ledger.close()


def release(life: Life, folder: Path, content: str) -> None:
    (folder / "train.py").write_text(f"# {content}\n")
    changes.up(life.control, str(folder), True, "ada")
    life.settle()


def test_a_spec_that_cannot_be_read_any_more_holds_up_no_other_workload(
    life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged, other = make_tiny(tmp_path / "damaged", "damaged"), make_tiny(tmp_path / "other", "other")
    release(life, damaged, "a")
    release(life, damaged, "b")
    spec = life.driver.spec

    def refuse(change: Change) -> Workload:
        if change.workload == "damaged":
            raise KeyError(change.id)
        return spec(change)

    monkeypatch.setattr(life.driver, "spec", refuse)
    release(life, other, "a")
    assert life.book.view.current("dev", "other") is not None


def test_a_step_that_serves_tells_the_url_of_now(
    life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(life, make_tiny(tmp_path / "tiny", "tiny"), "a")
    moved = "http://elsewhere:1234/{}/{}/score"
    monkeypatch.setattr(
        life.world, "endpoint", lambda environment, workload: moved.format(environment, workload)
    )
    change = life.book.view.changes[life.book.view.newest["tiny"]]
    report = life.world.report()
    _, outcome = life.driver.look(change, report, report.routes_accepted)
    messages = {state.step: state.message for state in outcome.states}
    assert messages["dev"] == "http://elsewhere:1234/dev/tiny/score"


def test_the_status_shows_what_a_promotion_waits_for(life: Life, tmp_path: Path) -> None:
    environments = "{dev: {}, prod: {promotion: manual, approval: required}}"
    folder = make_tiny(tmp_path / "tiny", environments=environments)
    (folder / "train.py").write_text("# a\n")
    changes.up(life.control, str(folder), False, "ada")
    life.settle()
    asked = promoting.promote(life.control, promoting.Wish("dev", "prod"), "bob")["transfer"]
    life.settle()
    control = life.control
    control.epoch, life.world.tracking_url = 1, lambda: "http://tracking"  # type: ignore[attr-defined]
    [workload] = records.status(control)["workloads"]
    assert [one["approval"] for one in workload["transfers"]] == [f"{asked}-prod"]


def test_a_tracking_server_that_is_away_is_told_in_one_line_however_often_it_is_tried(
    life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[str] = []

    def away(*asked: object) -> None:
        tried.append(str(asked))
        raise TemporaryError("The tracking server does not answer.")

    monkeypatch.setattr(life.world, "set_alias", away)
    monkeypatch.setattr(life.driver.hands, "_monotonic", lambda: life.world.now)
    (make_tiny(tmp_path / "tiny") / "train.py").write_text("# a\n")
    changes.up(life.control, str(tmp_path / "tiny"), True, "ada")
    while len(tried) < 20:
        life.world.work()
        life.tick()
    [told] = [record for record in caplog.records if "cannot be kept" in record.message]
    assert vars(told)["error"] == "The tracking server does not answer."
    assert vars(told)["endpoint"] == "tiny@dev"
    assert told.exc_info is None


def test_what_steps_record_is_dated_by_the_drivers_clock(life: Life, tmp_path: Path) -> None:
    begun = life.world.now = life.world.now + 86400.0
    release(life, make_tiny(tmp_path / "tiny", "tiny"), "a")
    (run,) = [fact for fact in life.ledger.facts() if fact.kind == "run.created"]
    assert begun < run.time <= life.world.now


def test_nobody_says_yes_to_what_a_rollback_has_made_void(life: Life, tmp_path: Path) -> None:
    folder = make_tiny(tmp_path / "tiny", environments="{prod: {approval: required}}")
    for content in "ab":
        release(life, folder, content)
    (folder / "train.py").write_text("# c\n")
    changes.up(life.control, str(folder), False, "ada")
    life.settle()
    [waiting] = set(life.book.view.approvals) - set(life.book.view.decisions)
    rollback.rollback(life.control, ["prod"], "", "ada")
    while life.book.view.releases["prod", "tiny"][-1].body.get("by") != "rollback":
        life.tick()
    with pytest.raises(ConflictError, match=f"{waiting} is void"):
        approving.decide(life.control, waiting, "approve", "", "bob")
