"""Tasks among the steps of the loop: their order, what makes them run again, failures, retries and clean-up."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loop_life import SPEC, Life, World, toy_replica_set

from loopwright.loop.case import Case
from loopwright.loop.change import Source
from loopwright.loop.pipeline import Outcome
from loopwright.loop.steps import plan
from loopwright.spec import load_text

CHAIN = """
pipeline:
  tasks:
    lint: {command: "true", environment: none, before: package}
    sweep: {command: "true {outputs} {matrix.N}", environment: none, after: train, matrix: {N: [1, 2]}}
    best: {command: "true {artifacts.sweep}", environment: none, artifacts: {in: [sweep]}}
    tidy: {command: "true", environment: none, always: true}
"""


@pytest.fixture(autouse=True)
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loopwright.loop.releaser.replica_set", toy_replica_set)


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / str(number) for number in itertools.count())  # type: ignore[return-value]


def new_life(homes: Iterator[Path], more: str, crash_at: int | None = None) -> Life:
    home = next(homes)
    home.mkdir()
    return Life(home, World(crash_at), more)


def states(outcome: Outcome) -> dict[str, str]:
    return {state.step: state.state for state in outcome.states}


def tasks(*lines: str) -> str:
    return "\npipeline:\n  tasks:\n" + "".join(f"    {line}\n" for line in lines)


def test_each_task_stands_behind_what_it_needs_and_clean_ups_last(homes: Iterator[Path]) -> None:
    life = new_life(homes, CHAIN)
    outcome = life.tick(life.request("a"))
    order = [state.step for state in outcome.states]
    assert order == ["lint", "train", "sweep-1", "sweep-2", "best", "package", "register", "approval", "prod", "tidy"]  # fmt: skip
    assert {state.step for state in outcome.states if state.state == "running"} == {"lint", "train"}


def test_a_crash_at_any_operation_runs_each_task_once(homes: Iterator[Path]) -> None:
    for crash_at in range(0, 1000, 3):
        life = new_life(homes, CHAIN, crash_at)
        change = life.request("a")
        outcome = life.rounds(30)[change.id]
        assert outcome.state == "succeeded", crash_at
        assert len(life.world.started) == len(set(life.world.started)) == 7, crash_at
        assert [life.kinds(f"change.{kind}") for kind in ("completed", "cleaned", "failed")] == [1, 1, 0]
        life.ledger.close()
        if not life.world.crashed:
            break
    assert crash_at > 40


def test_a_task_whose_inputs_are_the_same_is_not_run_again(homes: Iterator[Path]) -> None:
    life = new_life(homes, tasks('once: {command: "true", environment: none}', 'each: {command: "true", environment: none, cache: false}'))  # fmt: skip
    life.request("a")
    life.rounds()
    change = life.request("b")
    outcome = life.rounds()[change.id]
    assert (states(outcome)["once"], states(outcome)["each"]) == ("cached", "done")


def test_a_task_runs_again_when_what_it_comes_after_has_changed(homes: Iterator[Path]) -> None:
    life = new_life(homes, tasks('check: {command: "true", environment: none, after: package}'))
    for spec, state in (("a", "done"), ("b", "done"), ("a", "cached")):
        change = life.request(spec)
        assert states(life.rounds()[change.id])["check"] == state


def test_a_failed_task_stops_what_needs_it_and_the_step_that_it_stands_before(homes: Iterator[Path]) -> None:
    life = new_life(homes, CHAIN)
    life.world.failing = {"lint": 1}
    change = life.request("a")
    outcome = life.rounds()[change.id]
    found = states(outcome)
    assert outcome.state == "failed"
    assert (found["lint"], found["package"], found["prod"]) == ("failed", "stopped", "stopped")
    assert found["tidy"] == "done"
    assert life.world.sets == {}


def test_what_else_ran_when_a_change_failed_is_ended_and_recorded(homes: Iterator[Path]) -> None:
    life = new_life(homes, CHAIN)
    life.world.busy, life.world.failing = {"train"}, {"lint": 1}
    change = life.request("a")
    life.rounds()
    assert life.book.view.outcome(change.id) == "failed"
    cancelled = [fact for fact in life.ledger.facts() if fact.kind == "job.cancelled"]
    assert [(fact.body["change"], fact.body["step"]) for fact in cancelled] == [(change.id, "train")]


def test_what_needs_a_failed_task_is_stopped_and_the_change_ends(homes: Iterator[Path]) -> None:
    life = new_life(homes, CHAIN)
    life.world.failing = {"sweep-1": 1}
    change = life.request("a")
    outcome = life.rounds()[change.id]
    found = states(outcome)
    assert outcome.state == "failed"
    assert (found["best"], found["sweep-2"], found["prod"]) == ("stopped", "done", "done")


def test_a_failed_task_that_nothing_needs_fails_the_change_and_holds_up_nothing(
    homes: Iterator[Path],
) -> None:
    life = new_life(homes, CHAIN)
    life.world.failing = {"best": 1}
    change = life.request("a")
    outcome = life.rounds()[change.id]
    assert outcome.state == "failed"
    assert states(outcome)["prod"] == "done"
    again = life.request("a")
    assert life.rounds()[again.id].state == "succeeded"


def test_a_task_is_tried_again_after_its_delay_and_no_more_often_than_asked(homes: Iterator[Path]) -> None:
    life = new_life(
        homes, tasks('flaky: {command: "true", environment: none, retry: {attempts: 3, delay: 20s}}')
    )
    life.world.failing = {"flaky": 2}
    change = life.request("a")
    for _ in range(3):
        outcome = life.round()[change.id]
    assert outcome.wake_at is not None
    assert "attempt 2 of 3 comes after 20 s" in outcome.states[0].message
    assert life.rounds(60)[change.id].state == "succeeded"
    starts = [job for job in life.world.started if ".flaky." in job]
    assert len(starts) == 3


def test_attempts_are_counted_from_facts(homes: Iterator[Path]) -> None:
    for crash_at in range(0, 60, 2):
        life = new_life(homes, tasks('flaky: {command: "true", environment: none, retry: {attempts: 3}}'), crash_at)  # fmt: skip
        life.world.failing = {"flaky": 9}
        change = life.request("a")
        assert states(life.rounds(20)[change.id])["flaky"] == "failed"
        assert (life.world.failing["flaky"], life.kinds("job.failed")) == (6, 2), crash_at
        life.ledger.close()


def test_a_failed_clean_up_is_told_and_undoes_nothing(homes: Iterator[Path]) -> None:
    life = new_life(homes, CHAIN)
    life.world.failing = {"tidy": 1}
    change = life.request("a")
    outcome = life.rounds()[change.id]
    assert (outcome.state, states(outcome)["tidy"]) == ("succeeded", "failed")
    assert life.kinds("change.cleaned") == 1


def test_a_cancelled_change_ends_its_jobs_and_cleans_up(homes: Iterator[Path]) -> None:
    life = new_life(homes, CHAIN)
    life.request("a")
    life.rounds()
    change = life.request("b")
    life.world.busy = {"package"}
    life.rounds(5)
    life.end(change.id, "change.cancelled", {})
    outcome = life.rounds()[change.id]
    assert (outcome.state, states(outcome)["tidy"]) == ("cancelled", "done")
    assert not [job for job, status in life.world.jobs.items() if status.state == "running"]
    assert life.world.routes[0].backends[0].replica_set == "prod--toy--a"


def test_what_a_newer_change_also_wants_goes_on_and_the_older_one_still_cleans_up(
    homes: Iterator[Path],
) -> None:
    more = tasks(
        'slow: {command: "true", environment: none}',
        'own: {command: "true", environment: none, cache: false}',
        'tidy: {command: "true", environment: none, always: true}',
    )
    life = new_life(homes, more)
    life.world.busy = {"slow", "own"}
    life.request("a")
    life.rounds(2)
    shared, lone = (next(job for job in life.world.started if f".{name}." in job) for name in ("slow", "own"))
    newer = life.request("b")
    life.rounds(8)
    assert life.world.jobs[shared].state == "running"
    assert lone not in life.world.jobs
    assert life.book.view.mark("change.cleaned", "toy-1") is not None
    assert newer.id not in life.book.view.ended


def test_no_more_tasks_run_at_once_than_asked(homes: Iterator[Path]) -> None:
    life = new_life(homes, '\npipeline:\n  parallel: 2\n  tasks:\n    many: {command: "true", environment: none, matrix: {N: [1, 2, 3, 4]}}\n')  # fmt: skip
    life.world.busy = {f"many-{number}" for number in range(1, 5)}
    change = life.request("a")
    outcome = life.rounds(3)[change.id]
    assert [states(outcome)[f"many-{number}"] for number in (1, 2, 3, 4)] == ["running", "running", "waiting", "waiting"]  # fmt: skip


def test_the_inputs_of_a_task_name_all_that_decides_its_result(homes: Iterator[Path]) -> None:
    life = new_life(homes, "")
    line = 'fit: {command: "fit {data.rows.train} {model} {matrix.N}", after: train, matrix: {N: [1]}}'
    spec = load_text(SPEC + tasks(line))
    step = next(step for step in plan(spec) if step.name == "fit-1")
    sources = {"rows": Source("rows.csv", "c", 0.0, False)}
    change = replace(life.request("a"), files={"r.txt": "r", "fit.py": "f"}, sources=sources)
    outputs: dict[str, Any] = {"environment": {"digest": "e"}, "data": {"tree": "d"}, "train": {"model": "m"}}
    inputs = step.inputs(Case(spec, change, life.book.view, outputs))
    assert (inputs["data"], inputs["model"], inputs["environment"]) == ("d", "m", "e")
    assert (inputs["matrix"], inputs["files"]["fit.py"], len(inputs["follows"])) == ({"N": "1"}, "f", 1)
