"""Going back to what served before: whatever dies at whatever moment, once, and without a word from the change."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from loop_life import Life, World, toy_replica_set

from loopwright.errors import ConflictError, NotFoundError
from loopwright.loop.book import Book
from loopwright.operations.control import ControlPlane
from loopwright.operations.rollback import rollback


@pytest.fixture(autouse=True)
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loopwright.loop.releaser.replica_set", toy_replica_set)


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / str(number) for number in itertools.count())  # type: ignore[return-value]


class Plane:
    """So much of a control plane as a rollback asks."""

    def __init__(self, life: Life) -> None:
        self.book, self.engine = life.book, life.world


def lived(homes: Iterator[Path], *specs: str) -> Life:
    home = next(homes)
    home.mkdir()
    life = Life(home, World())
    for spec in specs:
        life.live(life.request(spec))
    return life


def back(life: Life, *words: str, comment: str = "wrong answers", token: str = "") -> str:
    return str(rollback(cast("ControlPlane", Plane(life)), words, comment, "bob", token)["transfer"])


def serving(life: Life) -> tuple[str, int]:
    return life.world.routes[0].backends[0].replica_set, life.world.alias


def test_the_version_before_serves_again_and_the_record_says_why(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", "b")
    name = back(life)
    life.rounds()
    assert serving(life) == ("prod--toy--a", 1)
    release = life.book.view.releases["prod", "toy"][-1]
    assert (release.actor, release.body["by"], release.body["comment"]) == (
        "bob",
        "rollback",
        "wrong answers",
    )
    assert (release.body["version"], release.body["previous"], release.body["change"]) == (1, 2, "toy-1")
    assert life.book.view.outcome(name) == "succeeded"


def test_a_crash_at_any_operation_changes_nothing_of_the_end(homes: Iterator[Path]) -> None:
    for crash_at in itertools.count():
        life = lived(homes, "a", "b")
        trained = list(life.world.started)
        back(life)
        life.world.crash_from(crash_at)
        life.rounds()
        assert serving(life) == ("prod--toy--a", 1), crash_at
        assert life.kinds("release.completed") == 3, crash_at
        assert life.world.started == trained
        assert life.book.view.outcome("toy-3") == "succeeded", crash_at
        life.ledger.close()
        if not life.world.crashed:
            break
    assert crash_at > 15


def test_the_change_that_was_rolled_back_is_held_until_another_comes(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", "b")
    back(life)
    outcome = life.rounds()["toy-2"]
    assert (outcome.state, outcome.states[-1].state) == ("held", "held")
    assert outcome.states[-1].message == "rolled back by bob: wrong answers"
    life.live(life.request("c"))
    assert serving(life) == ("prod--toy--c", 3)


def test_what_was_rolled_back_is_released_anew_when_it_is_asked_for_anew(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", "b")
    back(life)
    life.rounds()
    life.live(life.request("b"))
    assert serving(life) == ("prod--toy--b", 2)


def test_a_change_that_had_not_come_there_yet_is_not_held(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", "b")
    change = life.request("c", auto=False)
    life.rounds()
    back(life)
    life.rounds()
    assert serving(life) == ("prod--toy--a", 1)
    Book.append(life.book, "change.auto-approved", "toy", change.id, {"auto": True}, "bob", 0.0)
    life.rounds()
    assert serving(life) == ("prod--toy--c", 3)


def test_going_back_again_goes_further_back_and_not_forth(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", "b", "c")
    for _ in range(2):
        back(life)
        life.rounds()
    assert serving(life) == ("prod--toy--a", 1)
    with pytest.raises(ConflictError, match="nothing to go back to: toy:1 is the first"):
        back(life)
    back(life, "toy:3")
    life.rounds()
    assert serving(life) == ("prod--toy--c", 3)


def test_asked_again_since_its_answer_was_lost_it_is_one_rollback_also_once_it_has_ended(
    homes: Iterator[Path],
) -> None:
    life = lived(homes, "a", "b", "c")
    name = back(life, token="t1")
    assert back(life, token="t1") == name
    life.rounds()
    assert back(life, token="t1") == name
    life.rounds()
    assert serving(life) == ("prod--toy--b", 2)
    assert back(life, token="t2") != name


def test_what_was_rolled_back_is_nobodys_champion(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", "b")
    back(life)
    life.rounds()
    champions = [life.book.view.champion("prod", "toy", package) for package in ("a", "c")]
    assert [champion and champion.body["version"] for champion in champions] == [None, 1]


def test_replicas_that_are_gone_are_started_first(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", "b")
    del life.world.sets["prod--toy--a"]
    back(life)
    life.rounds()
    assert serving(life) == ("prod--toy--a", 1)


def test_replicas_that_do_not_come_up_leave_what_serves(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", "b")
    life.world.endless = {"prod--toy--a"}
    name = back(life)
    life.rounds(5)
    life.now += 1000
    life.rounds(5)
    assert life.book.view.outcome(name) == "failed"
    assert serving(life) == ("prod--toy--b", 2)
    assert life.rounds(1)["toy-2"].state == "succeeded"


@pytest.mark.parametrize(
    ("words", "error", "sentence"),
    [
        (("toy:2",), ConflictError, "toy:2 serves in prod already."),
        (("prod", "9"), NotFoundError, r"toy:9 has never served in prod. Served there: toy:1, toy:2."),
        (("staging",), NotFoundError, "No environment 'staging' is known here. Known: prod."),
        (("toys", "prod"), NotFoundError, r"No workload 'toys' is known here. Did you mean toy\?"),
        (("prod", "abc"), NotFoundError, "Found 'abc', expected the number of a version"),
        (("prod", "dev"), NotFoundError, "Found 'dev', expected the number of a version"),
        (("toy", "prod", "abc"), NotFoundError, "Found 'toy prod abc', .* a version, which is a number"),
        (("other:1",), NotFoundError, "No workload 'other'"),
        (
            ("toy", "prod", "1", "2"),
            NotFoundError,
            "expected at most a workload, an environment and a version",
        ),
    ],
)
def test_what_cannot_be_gone_back_to(
    homes: Iterator[Path], words: tuple[str, ...], error: type[Exception], sentence: str
) -> None:
    life = lived(homes, "a", "b")
    with pytest.raises(error, match=sentence):
        back(life, *words)
    assert life.kinds("rollback.requested") == 0


@pytest.mark.parametrize(
    "words", [(), ("prod",), ("1",), ("toy:1",), ("prod", "toy:1"), ("toy", "prod", "v1")]
)
def test_each_word_may_be_left_out(homes: Iterator[Path], words: tuple[str, ...]) -> None:
    life = lived(homes, "a", "b")
    back(life, *words)
    assert life.book.view.rollbacks()[0].body["version"] == 1


def test_a_second_one_and_one_during_a_release_are_refused(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", "b")
    life.world.endless = {"prod--toy--c"}
    life.request("c")
    life.rounds(12)
    with pytest.raises(
        ConflictError, match=r"toy-3 is being released to prod at this moment.*loopwright cancel toy-3"
    ):
        back(life)
    life.end("toy-3", "change.cancelled", {})
    life.rounds(3)
    back(life)
    with pytest.raises(ConflictError, match="toy-4 takes prod back to toy:1 already"):
        back(life)


def test_nothing_serves_yet(homes: Iterator[Path]) -> None:
    with pytest.raises(NotFoundError, match="Nothing serves yet"):
        back(lived(homes))
