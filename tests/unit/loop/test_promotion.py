"""Bringing what serves in one environment to a later one, through crashes; and what stands against it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from loop_life import Life, Package, Register, Toy, World, toy_replica_set

from loopwright.errors import ConflictError, NotFoundError
from loopwright.loop.book import Book
from loopwright.loop.case import Case
from loopwright.loop.change import Change
from loopwright.loop.foresight import foresee
from loopwright.loop.pipeline import Outcome, advance
from loopwright.loop.steps import Step
from loopwright.loop.steps.plan import entering
from loopwright.operations import promoting
from loopwright.operations.cancelling import cancel
from loopwright.operations.control import ControlPlane
from loopwright.operations.promoting import Wish, promote
from loopwright.operations.rollback import rollback
from loopwright.spec import Workload, load_text

HEAD = """
apiVersion: loopwright/v1
workload: toy
owner: ada@example.com
data: {rows: {source: rows.csv, label: y}}
training: {command: "python t.py {data.rows.train} {outputs}", dependencies: {requirements: r.txt}}
serving: {entry: score.py}
environments:
"""
MANUAL = "{dev: {}, prod: {promotion: manual, approval: required, serving: {workers: 2}}}"


class Check(Toy):
    """A test of what serves in dev."""

    name = "functional"
    needs = ("dev",)


def small_plan(spec: Workload) -> tuple[Step, ...]:
    """The loop in small, with the real steps into environments."""
    first, *others = spec.environments
    steps: list[Step] = [Toy(), Package(), Register(), *entering(spec, first, "register"), Check()]
    last = "functional"
    for name in others:
        steps += entering(spec, name, last)
        last = name
    return tuple(steps)


class Fork(Life):
    """A life with several environments."""

    def __init__(self, home: Path, world: World, environments: str) -> None:
        super().__init__(home, world)
        self.spec = load_text(
            HEAD + f"  {environments[1:-1]}".replace("}, ", "}\n  "), "loopwright.yaml", None
        )

    @property
    def engine(self) -> World:
        return self.world

    @property
    def driver(self) -> Fork:
        return self

    def spec_of(self, change: Change) -> Workload:
        del change
        return self.spec

    def look(self, change: Change, report: Any, routes: str) -> tuple[Case, Outcome]:
        case = Case(self.spec, change, self.book.view)
        return case, advance(case, small_plan(self.spec), report, routes, self.now, lambda step, output: True)


class Control:
    """So much of a control plane as a promotion asks."""

    def __init__(self, life: Fork) -> None:
        self.book, self.engine, self.driver = life.book, life.world, Driver(life)


class Driver:
    def __init__(self, life: Fork) -> None:
        self._life, self.look = life, life.look

    def spec(self, change: Change) -> Workload:
        return self._life.spec_of(change)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(case: Case, services: Any, environment: str, released: bool = True) -> Any:
        import msgspec

        from loopwright.loop.steps.deploy import DeployStep

        made = toy_replica_set(case, services, environment)
        return msgspec.structs.replace(made, name=DeployStep(environment, ()).replica_set(case))

    monkeypatch.setattr("loopwright.loop.releaser.replica_set", named)
    monkeypatch.setattr("loop_life.toy_steps", small_plan)
    monkeypatch.setattr(promoting, "plan", small_plan)


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / str(number) for number in itertools.count())  # type: ignore[return-value]


def lived(homes: Iterator[Path], *specs: str, environments: str = MANUAL, failing: int = 0) -> Fork:
    home = next(homes)
    home.mkdir()
    life = Fork(home, World(), environments)
    life.world.failing = {"functional": failing}
    for spec in specs:
        life.request(spec, auto=False)
        life.rounds(25)
    return life


def bring(life: Fork, source: str = "dev", target: str = "prod", **more: Any) -> str:
    return str(promote(cast("ControlPlane", Control(life)), Wish(source, target, **more), "bob")["transfer"])


def say_yes(life: Fork) -> None:
    for approval in [key for key in life.book.view.approvals if key not in life.book.view.decisions]:
        body = {"decision": "approve", "comment": "", "auto": False}
        Book.append(life.book, "approval.decided", "toy", approval, body, "carl", life.now)


def test_up_stops_before_an_environment_that_is_entered_by_hand(homes: Iterator[Path]) -> None:
    life = lived(homes, "a")
    outcome = life.rounds(2)["toy-1"]
    assert outcome.state == "paused"
    assert outcome.states[-2].message == "waiting for: loopwright promote dev prod"
    assert life.kinds("approval.requested") == 0
    assert life.book.view.outcome("toy-1") == "running"


def test_a_promotion_asks_releases_and_completes_the_change(homes: Iterator[Path]) -> None:
    life = lived(homes, "a")
    trained = list(life.world.started)
    name = bring(life, comment="of June")
    outcome = life.rounds()[name]
    assert outcome.states[0].approval == f"{name}-prod"
    say_yes(life)
    life.rounds()
    release = life.book.view.releases["prod", "toy"][-1]
    assert (release.actor, release.body["by"], release.body["source"]) == ("bob", "promote", "dev")
    assert release.body["revision"] != life.book.view.releases["dev", "toy"][-1].body["revision"]
    assert [life.book.view.outcome(one) for one in (name, "toy-1")] == ["succeeded", "succeeded"]
    assert life.world.started == trained


def test_the_change_that_a_promotion_completes_says_what_a_person_has_to_approve(
    homes: Iterator[Path],
) -> None:
    life = lived(homes, "a")
    name = bring(life)
    outcome = life.rounds()["toy-1"]
    assert outcome.states[-2].message == f"waiting for the promotion {name}: loopwright approve {name}-prod"
    say_yes(life)
    told = [state.message for _ in range(12) for state in life.rounds(1)["toy-1"].states]
    assert f"waiting for the promotion {name}" in told


def test_up_is_foreseen_to_leave_to_people_what_they_promote_also_while_they_do(
    homes: Iterator[Path],
) -> None:
    life = lived(homes, "a")

    def deeds() -> list[str]:
        case = Case(life.spec, life.book.view.changes["toy-1"], life.book.view)
        found = foresee(case, small_plan(life.spec), life.world.report(), life.now, life.services.kept)
        return [one.deed for one in found.steps if one.step.name in ("approval", "prod")]

    assert deeds() == ["promote", "promote"]
    bring(life)
    life.rounds()
    assert deeds() == ["promote", "promote"]
    say_yes(life)
    life.rounds()
    assert deeds() == ["nothing", "nothing"]


def test_a_crash_at_any_operation_promotes_once(homes: Iterator[Path]) -> None:
    for crash_at in range(0, 1000, 4):
        life = lived(homes, "a")
        name = bring(life)
        life.world.crash_from(crash_at)
        life.rounds(12)
        say_yes(life)
        life.rounds()
        assert [life.book.view.outcome(one) for one in (name, "toy-1")] == ["succeeded"] * 2, crash_at
        assert (life.kinds("release.completed"), life.kinds("approval.requested")) == (2, 1), crash_at
        life.ledger.close()
        if not life.world.crashed:
            break
    assert crash_at > 20


def test_asking_again_takes_it_up_and_a_newer_version_takes_its_place(homes: Iterator[Path]) -> None:
    life = lived(homes, "a")
    first = bring(life)
    life.rounds()
    assert bring(life) == first
    life.request("b", auto=False)
    life.rounds(25)
    second = bring(life)
    life.rounds()
    assert (life.book.view.outcome(first), life.book.view.outcome(second)) == ("superseded", "running")
    say_yes(life)
    life.rounds()
    assert life.book.view.current("prod", "toy").body["version"] == 2  # type: ignore[union-attr]


def test_asked_again_since_its_answer_was_lost_it_is_one_promotion_also_once_it_has_ended(
    homes: Iterator[Path],
) -> None:
    life = lived(homes, "a")
    name = bring(life, token="t1")
    assert bring(life, token="t1") == name
    life.rounds()
    say_yes(life)
    life.rounds()
    assert (bring(life, token="t1"), life.book.view.outcome(name)) == (name, "succeeded")
    assert life.kinds("promotion.requested") == 1


def test_a_promotion_is_cancelled_on_its_way_and_then_a_rollback_goes_through(homes: Iterator[Path]) -> None:
    life = lived(homes)
    for spec in ("a", "b", "c"):
        life.request(spec, auto=False)
        life.rounds(25)
        name = bring(life)
        life.rounds(5)
        say_yes(life)
        if spec != "c":
            life.rounds()
    while not life.book.view.queues["prod"]:
        life.round()
    control = cast("ControlPlane", Control(life))
    with pytest.raises(ConflictError, match=f"loopwright cancel {name}"):
        rollback(control, ["prod"], "", "bob")
    told = cancel(control, name, "bob")
    assert (told["change"], told["workload"], told["clean_up"]) == (name, "toy", [])
    life.rounds()
    back = rollback(control, ["prod"], "", "bob")["transfer"]
    life.rounds()
    assert (life.book.view.outcome(name), life.book.view.outcome(back)) == ("cancelled", "succeeded")
    assert life.book.view.current("prod", "toy").body["version"] == 1  # type: ignore[union-attr]
    with pytest.raises(ConflictError, match="was cancelled already"):
        cancel(control, name, "bob")


def test_what_was_rolled_back_may_be_promoted_again(homes: Iterator[Path]) -> None:
    life = lived(homes, "a")
    for spec in ("", "b"):
        if spec:
            life.request(spec, auto=False)
            life.rounds(25)
        bring(life)
        life.rounds()
        say_yes(life)
        life.rounds()
    rollback(cast("ControlPlane", Control(life)), ["prod"], "", "bob")
    life.rounds()
    name = bring(life)
    assert life.rounds()[name].states[0].state == "approval"  # the old yes is void
    say_yes(life)
    life.rounds()
    assert life.book.view.current("prod", "toy").body["version"] == 2  # type: ignore[union-attr]


THREE = "{dev: {}, staging: {promotion: manual}, prod: {promotion: manual}}"


@pytest.mark.parametrize(
    ("environments", "asked", "error", "sentence"),
    [
        (THREE, ("dev", "prod"), ConflictError, "staging comes between dev and prod. First: `loopwright promote dev staging`"),
        (THREE, ("staging", "prod"), NotFoundError, "Nothing of toy serves in staging. It serves in: dev."),
        (THREE, ("dev", "test"), NotFoundError, "No environment 'test' is known here"),
        (THREE, ("dev", "dev"), ConflictError, "dev does not come after dev.*loopwright rollback dev"),
        (THREE.replace("prod: {", "prod: {protected: true, "), ("dev", "prod"), ConflictError, "prod is protected, so staging cannot be left out"),
        (MANUAL.replace("prod: {", "prod: {protected: true, "), ("dev", "prod"), ConflictError, "prod is protected: only what comes from a clean commit.*was no git repository"),
        ("{dev: {}, prod: {approval: required}}", ("dev", "prod"), ConflictError, "toy-1 is under way and brings it to prod by itself"),
    ],
)  # fmt: skip
def test_what_stands_against_a_promotion(
    homes: Iterator[Path], environments: str, asked: tuple[str, str], error: type[Exception], sentence: str
) -> None:
    life = lived(homes, "a", environments=environments)
    with pytest.raises(error, match=sentence):
        bring(life, *asked)
    assert life.kinds("promotion.requested") == 0


def test_environments_between_may_be_left_out_but_no_test(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", environments=THREE)
    bring(life, skip=True)
    life.rounds()
    assert life.book.view.current("prod", "toy") is not None
    failed = lived(homes, "a", environments=THREE, failing=1)
    with pytest.raises(
        ConflictError, match=r"toy:1 has not passed functional, which prod asks for: .*exit status 1"
    ):
        bring(failed, skip=True)


def test_what_serves_there_already_is_refused(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", environments=THREE)
    bring(life, "dev", "staging")
    life.rounds()
    with pytest.raises(ConflictError, match="toy:1 serves in staging already, with the same settings"):
        bring(life, "dev", "staging")


def test_a_change_of_an_unclean_folder_stops_before_a_protected_environment(homes: Iterator[Path]) -> None:
    life = lived(homes, environments="{dev: {}, prod: {protected: true, approval: required}}")
    life.request("a", auto=False)
    outcome = life.rounds(25)["toy-1"]
    assert outcome.states[-1].state == "failed"
    assert (
        "prod is protected: only what comes from a clean commit is released there"
        in outcome.states[-1].message
    )
    assert life.kinds("approval.requested") == 0
    assert life.book.view.current("dev", "toy") is not None


def test_a_commit_of_the_same_files_makes_what_serves_fit_to_be_promoted(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", environments=MANUAL.replace("prod: {", "prod: {protected: true, "))
    with pytest.raises(ConflictError, match="prod is protected"):
        bring(life)
    clean = replace(life.book.view.changes["toy-1"], id="toy-2", commit="c1", dirty=False)
    Book.append(life.book, "change.requested", "toy", clean.id, clean.body(), "ada", life.now)
    life.rounds(10)
    name = bring(life)
    life.rounds()
    say_yes(life)
    life.rounds()
    assert [life.book.view.outcome(one) for one in (name, "toy-2")] == ["succeeded", "succeeded"]


def test_the_time_between_a_release_and_its_rollback_is_no_steps_duration(homes: Iterator[Path]) -> None:
    life = lived(homes, "a", "b", environments="{dev: {}, prod: {}}")
    control = cast("ControlPlane", Control(life))
    rollback(control, ["prod"], "", "bob")
    held = life.rounds()["toy-2"].states[-1]
    assert (held.state, held.ended_at) == ("held", None)
    rollback(control, ["prod", "2"], "", "bob")
    forth = life.rounds()["toy-2"].states[-1]
    assert (forth.state, forth.ended_at) == ("done", None)
    life.world.endless = {life.book.view.current("prod", "toy").body["replica_set"]}  # type: ignore[union-attr]
    again = life.rounds(2)["toy-2"].states[-1]
    assert (again.state, again.started_at) == ("running", None)
