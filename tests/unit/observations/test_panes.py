import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.observations import bins
from loopwright.observations.blocks import Column, Pane
from loopwright.observations.panes import Distribution, Opened, Shape
from loopwright.observations.tallies import Tally, Total, counts_of, frequent, moments_of, quantiles

NUMBERS = st.lists(st.none() | st.floats(-1e9, 1e9) | st.integers(-(10**6), 10**6), max_size=60)
TEXTS = st.lists(st.none() | st.text("abcde", max_size=2), max_size=60)
COLUMNS = (Column("age", "number"), Column("sex", "string"))
BASELINE = bins.make(
    {"age": [1.0, 2.0, 2.0, 9.0], "sex": ["a", "b", "a", None], "label": [0, 1, 1, 0]},
    {"age": "numbers", "sex": "categories", "label": "categories"},
    "label",
)


def tally(into, *parts):
    made = Tally(into)
    for part in parts:
        made.add(part)
    return made.summary()


def merged(*summaries):
    total = Total(len(summaries[0].bins))
    for summary in summaries:
        total.merge(summary)
    return total.summary()


def pane(worker, sequence, ages, sexes):
    made = Opened(worker, "b", Shape(BASELINE, COLUMNS), sequence)
    made.cover([5.0])
    made.feature("live", "age", ages)
    made.feature("live", "sex", sexes)
    return made.pane()


@given(NUMBERS, NUMBERS, NUMBERS)
def test_sums_of_numbers_are_those_of_the_whole(one, two, three):
    into = bins.numbers(one)
    a, b, c = (tally(into, part) for part in (one, two, three))
    whole = tally(into, [*one, *two, *three])
    for both in (merged(merged(a, b), c), merged(c, merged(b, a)), tally(into, one, two, three)):
        assert counts_of(both) == counts_of(whole)
        assert (both.count, both.low, both.high) == (whole.count, whole.low, whole.high)
        assert math.isclose(both.mean, whole.mean, rel_tol=1e-9, abs_tol=1e-3)
        if whole.count:
            assert math.isclose(
                moments_of(both).deviation, moments_of(whole).deviation, rel_tol=1e-6, abs_tol=1e-3
            )
            assert quantiles(both, [0.0, 1.0]) == [whole.low, whole.high]


@given(TEXTS, TEXTS, TEXTS)
def test_sums_of_categories_are_those_of_the_whole(known, one, two):
    into = bins.categories(known)
    both, whole = merged(tally(into, one), tally(into, two)), tally(into, [*one, *two])
    assert counts_of(both) == counts_of(whole) == bins.count(into, [*one, *two])
    unseen = {text: [*one, *two].count(text) for text in {*one, *two} - {*into.names, None}}
    assert dict(frequent(both)) == unseen


PANES = st.lists(st.tuples(st.sampled_from(["w1", "w2"]), st.integers(0, 3), st.integers(0, 9)), max_size=12)


@given(PANES, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_each_pane_counts_once_in_any_order(named, random):
    """What is in a pane follows from its name, as it does when one is read twice."""
    panes = [pane(worker, number, [float(number)], ["a"] * (number + 1)) for worker, number, _ in named]
    random.shuffle(panes)
    total = Distribution("b")
    taken = [total.add(one) for one in panes]
    names = {(one.worker, one.sequence) for one in panes}
    assert sum(taken) == len(names)
    if names:
        assert total.features()["age"].count == len(names)
        assert counts_of(total.features()["sex"]).rows == sum(number + 1 for _, number in names)


def test_panes_in_other_bins_are_not_added():
    with pytest.raises(ValueError, match="cannot be added"):
        Distribution("other").add(pane("w", 0, [1.0], []))


def test_values_fall_into_the_bins_of_the_baseline_and_unseen_ones_are_named():
    found = pane("w", 0, [0.0, 2.5, None, 99.0], ["a", "zebra", "zebra", None])
    age, sex = found.features["live"]["age"], found.features["live"]["sex"]
    assert (age.below, age.above, age.missing, list(age.bins)) == (1, 1, 1, [0, 1, 0])
    assert (sex.unseen, sex.missing, frequent(sex)) == (2, 1, [("zebra", 2)])
    assert isinstance(found, Pane)


def test_quantiles_of_a_million_are_within_the_bound_in_some_kilobytes():
    import numpy as np

    numbers = np.random.default_rng(1).permutation(1_000_000).astype(float)
    summary = tally(bins.numbers([0.0]), *np.array_split(numbers, 100))
    for rank, value in zip((0.1, 0.5, 0.9), quantiles(summary, (0.1, 0.5, 0.9)), strict=True):
        assert abs(value / 1e6 - rank) < 0.02
    assert len(summary.quantiles) < 6000
