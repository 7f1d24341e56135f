"""One release at a time in an environment, in the order of asking, and nobody is held up by what goes no further."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from loop_life import Life, World, toy_replica_set


@pytest.fixture(autouse=True)
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loopwright.loop.releaser.replica_set", toy_replica_set)


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / str(number) for number in itertools.count())  # type: ignore[return-value]


def two(homes: Iterator[Path], crash_at: int | None = None) -> Life:
    """Two workloads that release to prod at once; the first one's replicas are slow to come."""
    home = next(homes)
    home.mkdir()
    life = Life(home, World(crash_at))
    life.world.endless = {"prod--toy--a"}
    life.request("a")
    life.request("a", workload="other")
    return life


def test_the_second_waits_for_the_first_and_says_so(homes: Iterator[Path]) -> None:
    life = two(homes)
    outcome = life.rounds()["other-1"]
    assert (outcome.states[-1].state, outcome.states[-1].message) == (
        "waiting",
        "waiting for toy's release to prod",
    )
    assert set(life.world.sets) == {"prod--toy--a"}
    life.world.endless = set()
    assert {outcome.state for outcome in life.rounds().values()} == {"succeeded"}
    released = [fact.workload for fact in life.ledger.facts() if fact.kind == "release.completed"]
    assert released == ["toy", "other"]


@pytest.mark.parametrize("kind", ["change.cancelled", "change.superseded"])
def test_a_change_that_is_ended_gives_up_its_turn(homes: Iterator[Path], kind: str) -> None:
    life = two(homes)
    life.rounds()
    if kind == "change.superseded":
        life.request("b")
    else:
        life.end("toy-1", kind, {})
    assert life.rounds()["other-1"].state == "succeeded"
    assert life.kinds("release.withdrawn") == 1


def test_a_release_that_fails_gives_up_its_turn(homes: Iterator[Path]) -> None:
    life = two(homes)
    life.rounds()
    life.now += 1000  # beyond the patience of a release
    outcomes = life.rounds()
    assert (outcomes["toy-1"].state, outcomes["other-1"].state) == ("failed", "succeeded")


def test_a_release_that_is_cancelled_behind_its_switch_gives_the_route_back(homes: Iterator[Path]) -> None:
    home = next(homes)
    home.mkdir()
    life = Life(home, World())
    life.live(life.request("a"))
    change = life.request("b")
    while life.book.view.routes["prod", "toy"].body["replica_set"] != "prod--toy--b":
        life.round()
    life.end(change.id, "change.cancelled", {})
    life.rounds()
    assert life.world.routes[0].backends[0].replica_set == "prod--toy--a"
    assert life.book.view.queues["prod"] == {}


def test_a_crash_at_any_operation_leaves_nobody_waiting(homes: Iterator[Path]) -> None:
    for crash_at in range(0, 1000, 5):
        life = two(homes, crash_at)
        life.world.endless = set()
        assert {outcome.state for outcome in life.rounds(40).values()} == {"succeeded"}, crash_at
        assert life.kinds("release.completed") == 2
        life.ledger.close()
        if not life.world.crashed:
            break
    assert crash_at > 40
