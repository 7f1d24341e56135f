"""What is missing of what serves, and what is done about it. The facts are made here; no process runs."""

from __future__ import annotations

from typing import Any

import pytest

from loopwright.engines.base import EngineReport, JobStatus, ReplicaSetStatus
from loopwright.ledger import Fact
from loopwright.loop.upkeep import Build, Built, Name, Point, Restore, Settle, Upkeep, decide
from loopwright.loop.view import View

JOB = "upkeep.environment.e1.0"


class Facts:
    """A view that facts are put into, one second apart."""

    def __init__(self) -> None:
        self.view = View()
        self.now = 0.0
        self.count = 0

    def add(self, kind: str, key: str, **body: Any) -> Fact:
        self.now += 1
        self.count += 1
        fact = Fact(self.count, self.now, 1, kind, "toy", key, "ada", body, "", "")
        self.view.apply(fact)
        return fact

    def release(self, version: int, environment: str = "prod", compiled: bool = False, **more: Any) -> Fact:
        name = f"{environment}--toy--{version}"
        self.add("route.wanted", f"toy@{environment}", environment=environment, replica_set=name)
        self.add("alias.moved", f"toy@{environment}", environment=environment, version=version)
        package = {"digest": f"p{version}", "environment": "e1", "compiled": compiled}
        return self.add(
            "release.completed", f"toy-{version}/{environment}", environment=environment, replica_set=name,
            version=version, package=package, **more,
        )  # fmt: skip

    def lock(self) -> None:
        output = {"digest": "e1", "lock": "l1", "python_version": "3.11"}
        self.add("step.succeeded", "x", change="toy-1", step="environment", inputs="i", output=output)

    def decide(self, *sets: str, jobs: dict[str, JobStatus] | None = None, built: bool = True) -> Upkeep:
        found = {name: ReplicaSetStatus(name=name, wanted=2, ready=2) for name in sets}
        report = EngineReport(replica_sets=found, jobs=jobs or {})
        return decide(self.view, report, lambda digest: built, lambda release: 10.0, self.now)


def test_where_all_serves_there_is_nothing_to_do() -> None:
    facts = Facts()
    facts.release(1)
    upkeep = facts.decide("prod--toy--1")
    assert upkeep == Upkeep((), frozenset(), frozenset({"prod--toy--1"}))


def test_the_newest_release_of_each_environment_is_asked_for_again() -> None:
    facts = Facts()
    facts.release(1)
    releases = [facts.release(2), facts.release(1, "dev")]
    assert facts.decide().mends == tuple(map(Restore, releases))


def test_what_is_compiled_serves_without_its_python_environment() -> None:
    facts = Facts()
    facts.lock()
    release = facts.release(1, compiled=True)
    assert facts.decide(built=False).mends == (Restore(release),)


def test_a_release_that_may_go_to_zero_is_let_go_there_once() -> None:
    facts = Facts()
    facts.release(1, least=2)
    release = facts.release(2, least=0)
    assert facts.decide().mends == (Restore(release),)
    assert facts.decide("prod--toy--2").mends == (Settle(release),)
    facts.add("release.settled", release.key, environment="prod", replica_set="prod--toy--2", version=2)
    assert facts.decide("prod--toy--2").mends == ()


def test_a_route_that_leads_elsewhere_is_wanted_again_unless_a_release_is_under_way() -> None:
    facts = Facts()
    release = facts.release(1)
    facts.add("route.wanted", "toy@prod", environment="prod", replica_set="prod--toy--2")
    assert facts.decide("prod--toy--1").mends == (Point(release),)
    facts.add("release.asked", "toy-2/prod/i", change="toy-2", step="prod", environment="prod", inputs="i")
    assert facts.decide("prod--toy--1").mends == ()


def test_an_alias_that_its_change_left_behind_is_moved_after_a_while() -> None:
    facts = Facts()
    release = facts.release(1)
    facts.add("alias.moved", "toy@prod", environment="prod", version=7)
    assert facts.decide("prod--toy--1").mends == ()
    facts.now += 5
    assert facts.decide("prod--toy--1").mends == (Name(release),)


def test_a_missing_python_environment_is_built_once_before_replicas_are_asked_for() -> None:
    facts = Facts()
    facts.lock()
    release, _ = facts.release(1), facts.release(1, "dev")
    assert facts.decide(built=False).mends == (Build(release, JOB),)
    running = {JOB: JobStatus(id=JOB, state="running")}
    assert facts.decide(built=False, jobs=running) == Upkeep(
        (), frozenset({JOB}), frozenset({"prod--toy--1", "dev--toy--1"})
    )
    ended = JobStatus(id=JOB, state="succeeded")
    assert facts.decide(built=False, jobs={JOB: ended}).mends == (Built(release, JOB, ended),)


def test_a_failed_build_is_tried_again_after_longer_and_longer() -> None:
    facts = Facts()
    facts.lock()
    facts.release(1)
    waits = []
    for attempt in range(3):
        facts.add("environment.failed", f"{JOB[:-1]}{attempt}", digest="e1", job=f"{JOB[:-1]}{attempt}")
        began = facts.now
        while not facts.decide(built=False).mends:
            facts.now += 1
        waits.append(facts.now - began)
    assert waits == [20, 40, 80]


def test_an_environment_that_is_lost_again_later_gets_a_job_of_its_own_at_once() -> None:
    facts = Facts()
    facts.lock()
    release = facts.release(1)
    facts.add("environment.rebuilt", JOB, digest="e1", job=JOB)
    assert facts.decide(built=False).mends == (Build(release, "upkeep.environment.e1.1"),)


@pytest.mark.parametrize("seconds", [-86400.0, 3600.0])
def test_what_was_replaced_stays_warm_for_its_time_whatever_the_clock_is_set_to(seconds: float) -> None:
    facts = Facts()
    facts.release(1)
    facts.release(2)
    facts.now += seconds
    facts.add("clock.stepped", "clock", seconds=seconds)
    assert facts.decide("prod--toy--2").replica_sets == {"prod--toy--1", "prod--toy--2"}
    facts.now += 10
    assert facts.decide("prod--toy--2").replica_sets == {"prod--toy--2"}
