"""The controller and its performer: whatever dies at whatever moment, each thing happens once.

The engine here is a model of one (a dictionary): the real one is met in the acceptance and chaos tests. Ledger, view,
controller and performer are the real ones, and are thrown away and opened again at every crash.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from loop_life import Life, Toy, World, toy_replica_set, toy_steps

from loopwright.engines.base import JobStatus
from loopwright.loop.case import Case, Services
from loopwright.loop.releaser import move_alias
from loopwright.spec.replicas import Replicas


@pytest.fixture(autouse=True)
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loopwright.loop.releaser.replica_set", toy_replica_set)


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / str(number) for number in itertools.count())  # type: ignore[return-value]


def test_a_crash_at_any_operation_changes_nothing_of_the_end(homes: Iterator[Path]) -> None:
    for crash_at in itertools.count():
        home = next(homes)
        home.mkdir()
        life = Life(home, World(crash_at))
        life.live(life.request("a"))
        assert (life.kinds("release.completed"), life.kinds("change.completed")) == (1, 1), crash_at
        assert life.world.started == list(dict.fromkeys(life.world.started))
        assert (life.world.versions, life.world.alias) == ({"a": 1}, 1), crash_at
        assert life.kinds("step.succeeded") == 4, crash_at
        assert life.ledger.verify().ok
        life.ledger.close()
        if not life.world.crashed:
            break
    assert crash_at > 20  # so many moments were really met


def test_a_release_that_may_go_to_zero_keeps_a_replica_until_it_is_recorded(homes: Iterator[Path]) -> None:
    home = next(homes)
    home.mkdir()
    life = Life(home, World())
    replicas = Replicas(min=0)
    serving = life.spec.serving.model_copy(update={"replicas": replicas})
    life.spec = life.spec.model_copy(update={"serving": serving})
    life.live(life.request("a"))
    assert [wanted.minimum for wanted in life.world.sets.values()] == [1]
    assert [fact.body["least"] for fact in life.book.view.releases["prod", "toy"]] == [0]


def new_life(homes: Iterator[Path]) -> Life:
    home = next(homes)
    home.mkdir()
    return Life(home, World())


def test_a_change_that_is_asked_for_again_finds_all_done(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    life.live(life.request("a"))
    before = list(life.world.started)
    outcome = life.live(life.request("a"))
    assert [state.state for state in outcome.states] == ["cached"] * 5
    assert life.world.started == before


def test_going_back_to_an_older_version_releases_it_again_without_training(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    for spec in ("a", "b", "a"):
        life.live(life.request(spec))
    assert [fact.body["version"] for fact in life.book.view.releases["prod", "toy"]] == [1, 2, 1]
    assert len(life.world.started) == 4


def test_a_failed_step_stops_the_change_and_what_serves_stays(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    life.live(life.request("a"))
    outcome = life.live(life.request("broken"))
    assert [state.state for state in outcome.states] == ["failed", "stopped", "stopped", "stopped", "stopped"]
    assert life.world.routes[0].backends[0].replica_set == "prod--toy--a"
    life.live(life.request("b"))  # and the next change is not held up


def test_new_replicas_that_answer_wrongly_never_get_a_route(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    life.live(life.request("a"))
    outcome = life.live(life.request("bad-answer"))
    assert outcome.states[-1].state == "failed"
    assert "toy:1 goes on serving" in outcome.states[-1].message
    assert set(life.world.sets) == {"prod--toy--a"}
    assert life.world.routes[0].backends[0].replica_set == "prod--toy--a"


def test_where_the_gateway_is_at_fault_nobody_says_that_the_old_version_serves(
    homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    life = new_life(homes)
    life.live(life.request("a"))
    reported = life.world.report
    monkeypatch.setattr(
        life.world, "report", lambda: msgspec.structs.replace(reported(), routes_rejected="port taken.")
    )
    told = life.live(life.request("b")).states[-1].message
    assert "failed, and toy:1 stays what the gateway is to serve there. The gateway cannot serve" in told
    assert told.endswith("port taken.")


def test_an_alias_that_two_move_at_once_is_recorded_once(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    life.live(life.request("a"))
    release = life.book.view.releases["prod", "toy"][-1]
    move_alias(life.services, release, 1.0)
    assert life.kinds("alias.moved") == 1


def test_without_auto_approval_nothing_is_released_until_a_person_decides(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    change = life.request("a", auto=False)
    for _ in range(20):
        outcome = life.tick(change)
    assert outcome.states[3].state == "approval"
    assert life.world.sets == {}
    life.book.append(
        "approval.decided",
        "toy",
        "toy-1-prod",
        {"decision": "reject", "comment": "no", "auto": False},
        "bob",
        0.0,
    )
    assert "bob rejected" in life.live(change).states[3].message


def test_a_lost_job_is_started_again_but_not_for_ever(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    change = life.request("a")
    for _ in range(30):
        life.world.jobs = {job: JobStatus(id=job, state="failed", reason="lost") for job in life.world.jobs}
        outcome = life.tick(change)
    assert outcome.failed
    assert len(life.world.started) == 4


def test_a_job_that_was_cancelled_is_made_again_when_it_is_wanted_again(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    change = life.request("a")
    life.tick(change)
    life.world.jobs = {job: JobStatus(id=job, state="failed", reason="cancelled") for job in life.world.jobs}
    assert life.live(change).finished
    assert len(life.world.started) == 3


class Settling(Toy):
    """A job that leaves something open elsewhere until it is settled."""

    def __init__(self) -> None:
        self.settled: list[str] = []

    def cancelled(self, case: Case, services: Services, job_id: str, folder: Path) -> None:
        self.settled.append(job_id)


@pytest.fixture
def settling(monkeypatch: pytest.MonkeyPatch) -> Settling:
    step = Settling()
    monkeypatch.setattr("loop_life.toy_steps", lambda spec: (step, *toy_steps(spec)[1:]))
    return step


@pytest.mark.parametrize("kind", ["change.superseded", "change.cancelled"])
def test_what_a_halted_change_was_running_is_ended_and_settled_once(
    homes: Iterator[Path], settling: Settling, kind: str
) -> None:
    life = new_life(homes)
    life.world.busy = {"train"}
    life.request("a")
    life.rounds(2)
    (job,) = life.world.started
    if kind == "change.cancelled":
        life.end("toy-1", kind, {})
    life.request("b")
    life.rounds(5)
    assert settling.settled == [job]
    assert [fact.key for fact in life.ledger.facts(kind="job.cancelled")] == [job]
    assert [change.id for change in life.book.view.watched(life.world.jobs)] == ["toy-2"]


def test_a_change_may_be_asked_to_be_approved_automatically_later(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    change = life.request("a", auto=False)
    for _ in range(20):
        life.tick(change)
    life.book.append("change.auto-approved", "toy", change.id, {"auto": True}, "bob", 0.0)
    assert life.live(change).finished
    assert [fact.actor for fact in life.book.view.decisions["toy-1-prod"]] == ["bob"]


def test_a_job_that_someone_killed_is_started_again(homes: Iterator[Path]) -> None:
    life = new_life(homes)
    change = life.request("a")
    life.tick(change)
    killed = {"state": "failed", "reason": "signal", "exit_code": -9}
    life.world.jobs = {job: JobStatus(id=job, **killed) for job in life.world.jobs}
    assert life.live(change).finished
    assert life.kinds("job.lost") == 1
