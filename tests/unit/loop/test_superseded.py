"""A job that a superseded change has started and the newer one also wants: it goes on, and is the newer one's to take in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_world import CrashError, Life
from tiny_workload import make_tiny

from loopwright.loop.recorder import Recorder
from loopwright.operations import changes


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    life = Life(tmp_path / "home")
    yield life
    life.ledger.close()


def running(life: Life) -> list[str]:
    return [job for job, status in life.world.jobs.items() if status.state == "running"]


def train(life: Life) -> str:
    """Look until the training runs; its job."""
    for _ in range(20):
        life.tick()
        found = [job for job in running(life) if job.startswith("tiny.train.")]
        if found:
            return found[0]
        life.world.work()
    raise AssertionError(life.world.jobs)


def test_a_job_that_both_want_fails_for_the_newer_change_alone(life: Life, tmp_path: Path) -> None:
    work = str(make_tiny(tmp_path / "tiny"))
    changes.up(life.control, work, True, "ada")
    job = train(life)
    changes.up(life.control, work, True, "ada", again=True)
    life.tick()
    assert running(life) == [job]
    life.world.end(job, "exit", 1)
    life.tick()
    assert [fact.body["change"] for fact in life.ledger.facts(kind="step.failed")] == ["tiny-2"]


def test_what_only_the_superseded_change_wants_is_ended_and_recorded(life: Life, tmp_path: Path) -> None:
    work = make_tiny(tmp_path / "tiny")
    changes.up(life.control, str(work), True, "ada")
    job = train(life)
    (work / "train.py").write_text("# another\n")
    changes.up(life.control, str(work), True, "ada")
    life.tick()
    life.settle()
    assert [fact.key for fact in life.ledger.facts(kind="job.cancelled")] == [job]
    assert life.driver.board.get("tiny-2")[1].state == "succeeded"


@pytest.mark.parametrize("dies_at", ["started", "submit"])
def test_a_run_whose_job_never_started_is_ended_once_a_newer_change_takes_its_place(
    life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    ended: list[tuple[str, str]] = []
    monkeypatch.setattr(life.world, "end_run", lambda run, how: ended.append((run, how)), raising=False)
    work = make_tiny(tmp_path / "tiny")
    changes.up(life.control, str(work), True, "ada")

    def dies(real: Any) -> Any:
        def at_train(*words: Any, **more: Any) -> Any:
            job = str(more.get("job") or getattr(words[-1], "id", ""))
            if job.startswith("tiny.train."):
                raise CrashError
            return real(*words, **more)

        return at_train

    with monkeypatch.context() as patch:
        where: Any = Recorder if dies_at == "started" else life.world
        patch.setattr(where, dies_at, dies(getattr(where, dies_at)))
        while not life.ledger.facts(kind="run.created"):
            life.world.work()
            life.tick()
    (work / "train.py").write_text("# another\n")
    changes.up(life.control, str(work), True, "ada")
    life.settle()
    first, second = (fact.key for fact in life.ledger.facts(kind="run.created"))
    assert first != second
    assert [fact.key for fact in life.ledger.facts(kind="job.cancelled")] == [first]
    assert [how for _, how in ended] == ["KILLED", "FINISHED"]
    assert life.book.view.open_runs == {}
