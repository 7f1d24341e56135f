"""How many replicas: with virtual time."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from loopwright.engines.base import ReplicaSet
from loopwright.engines.local.scaling import Scale, wanted


def policy(
    minimum: int = 1,
    maximum: int = 4,
    target: float = 0.5,
    concurrency: int = 4,
    delay: float = 60.0,
    up: float = 0.0,
) -> ReplicaSet:
    return ReplicaSet(
        name="s", workload="w", environment="dev", revision="r", settings="/s", minimum=minimum, maximum=maximum,
        target_utilization=target, scale_interval=1.0, scale_down_delay=delay, scale_up_delay=up, concurrency=concurrency,
    )  # fmt: skip


def follow(loads: list[int], **fields: float) -> list[int]:
    """What is wanted, second by second."""
    told, scale = [], Scale(1)
    for second, load in enumerate(loads):
        scale = wanted(policy(**fields), scale, load, float(second))  # type: ignore[arg-type]
        told.append(scale.wanted)
    return told


def test_more_load_brings_more_at_once() -> None:
    assert follow([0, 2, 3, 4, 5, 100]) == [1, 1, 2, 2, 3, 4]


def test_a_peak_shorter_than_the_delay_starts_nothing() -> None:
    assert follow([0, 8, 8, 0, 8, 8, 8, 8], up=3) == [1, 1, 1, 1, 1, 1, 1, 4]


def test_scaling_up_goes_to_what_was_needed_all_through_the_delay() -> None:
    assert follow([0, 8, 4, 8], up=2) == [1, 1, 1, 2]


def test_exactly_the_target_is_enough() -> None:
    assert follow([7], concurrency=10, target=0.7) == [1]


def test_fewer_only_after_the_delay() -> None:
    assert follow([8, 0, 0, 0, 0], delay=3) == [4, 4, 4, 4, 1]


def test_load_that_comes_back_starts_the_delay_anew() -> None:
    assert follow([8, 0, 0, 8, 0, 0, 0, 0], delay=3) == [4, 4, 4, 4, 4, 4, 4, 1]


def test_scaling_down_goes_to_the_most_that_was_needed_meanwhile() -> None:
    assert follow([8, 0, 4, 0, 0], delay=3) == [4, 4, 4, 4, 2]


def test_a_minimum_of_zero_is_one_until_nobody_has_asked_for_long_enough() -> None:
    told = [wanted(policy(minimum=0), Scale(1), 0, 0.0, idle).wanted for idle in (0.0, 299.0, 300.0)]
    assert told == [1, 1, 0]


def test_a_set_without_replicas_has_one_as_soon_as_somebody_asks() -> None:
    assert wanted(policy(minimum=0, up=60.0), Scale(0), 1, 0.0, 1000.0).wanted == 1
    assert wanted(policy(minimum=0, up=60.0), Scale(0), 0, 0.0, 1000.0).wanted == 0


def test_a_set_that_was_asked_goes_to_one_before_it_goes_to_zero() -> None:
    assert wanted(policy(minimum=0, delay=0.0), Scale(3), 0, 0.0, 10.0).wanted == 1


def test_limits_hold_at_once() -> None:
    assert wanted(policy(maximum=2), Scale(4), 100, 0.0).wanted == 2
    assert wanted(policy(minimum=3), Scale(1), 0, 0.0).wanted == 3


@given(
    st.lists(st.integers(0, 200), min_size=1),
    st.integers(1, 5),
    st.integers(0, 5),
    st.integers(1, 16),
    st.floats(0.1, 1.0),
)
def test_it_stays_in_its_limits_and_never_below_what_is_needed(
    loads: list[int], minimum: int, more: int, concurrency: int, target: float
) -> None:
    limits = {"minimum": minimum, "maximum": minimum + more, "concurrency": concurrency, "target": target}
    for load, told in zip(loads, follow(loads, **limits), strict=True):
        assert minimum <= told <= minimum + more
        assert told >= min(minimum + more, math.ceil(load / (concurrency * target) - 1e-6))
