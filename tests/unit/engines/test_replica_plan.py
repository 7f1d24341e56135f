"""Which replicas start and which go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loopwright.engines.base import ReplicaState
from loopwright.engines.local.replica_plan import Plan, View, plan


def views(*states: ReplicaState, overweight: frozenset[int] = frozenset()) -> list[View]:
    return [View(str(index), state, float(index), index in overweight) for index, state in enumerate(states)]


def test_what_is_missing_is_started() -> None:
    assert plan(2, []) == Plan(2)
    assert plan(2, views("ready", "draining")) == Plan(1)


def test_enough_is_left_alone() -> None:
    assert plan(2, views("ready", "starting")) == Plan()


def test_of_too_many_the_least_useful_and_then_the_youngest_go() -> None:
    assert plan(2, views("ready", "ready", "ready", "starting")) == Plan(0, ("3", "2"))
    assert plan(1, views("ready", "not-ready")) == Plan(0, ("1",))


def test_an_overweight_one_goes_when_another_is_ready_in_its_place() -> None:
    heavy = frozenset({0})
    assert plan(1, views("ready", overweight=heavy)) == Plan(1)
    assert plan(1, views("ready", "starting", overweight=heavy)) == Plan()
    assert plan(1, views("ready", "ready", overweight=heavy)) == Plan(0, ("0",))


def test_overweight_ones_are_replaced_one_after_the_other() -> None:
    assert plan(3, views("ready", "ready", "ready", overweight=frozenset({0, 1, 2}))) == Plan(1)


def test_one_that_is_overweight_before_it_is_ready_goes_at_once() -> None:
    assert plan(1, views("starting", overweight=frozenset({0}))).drain == ("0",)


def test_nothing_wanted_lets_all_go() -> None:
    assert set(plan(0, views("ready", "starting", "draining")).drain) == {"0", "1"}


STATES = st.sampled_from(["starting", "ready", "not-ready", "draining"])


@given(st.integers(0, 5), st.lists(st.tuples(STATES, st.booleans()), max_size=8))
def test_no_plan_takes_away_ready_ones_that_are_needed(
    wanted: int, found: list[tuple[ReplicaState, bool]]
) -> None:
    all_ = [View(str(index), state, float(index), heavy) for index, (state, heavy) in enumerate(found)]
    decided = plan(wanted, all_)
    ready = [view for view in all_ if view.state == "ready"]
    left = [view for view in ready if view.id not in decided.drain]
    assert len(left) >= min(wanted, len(ready))
