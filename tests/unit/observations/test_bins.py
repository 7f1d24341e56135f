import math
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.errors import IntegrityError
from loopwright.observations import bins

NUMBERS = st.lists(
    st.one_of(st.none(), st.floats(), st.integers(-(10**400), 10**400), st.booleans(), st.text(max_size=3)),
    max_size=200,
)
CATEGORIES = st.lists(
    st.one_of(st.none(), st.text("abc", max_size=2), st.booleans(), st.integers(0, 3), st.just(math.nan)),
    max_size=200,
)


@given(NUMBERS, NUMBERS)
def test_every_number_counts_once(training, later):
    made = bins.numbers(training)
    assert made.counts.rows == len(training)
    assert bins.count(made, later).rows == len(later)


@given(CATEGORIES, CATEGORIES)
def test_every_category_counts_once(training, later):
    made = bins.categories(training)
    assert made.counts.rows == len(training)
    assert bins.count(made, later).rows == len(later)


@given(NUMBERS)
def test_edges_increase_up_to_the_highest_value(values):
    made = bins.numbers(values)
    assert all(a < b for a, b in zip(made.edges, made.edges[1:], strict=False))
    assert len(made.edges) == len(made.counts.bins) <= bins.MOST_BINS
    assert not made.edges or made.edges[-1] <= made.highest


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=300))
def test_no_training_value_is_out_of_range_and_no_bin_is_empty(values):
    made = bins.numbers(values)
    assert made.counts.out_of_range == 0
    assert all(made.counts.bins)


@given(CATEGORIES, st.lists(CATEGORIES, min_size=3, max_size=3))
def test_counts_of_parts_add_up_in_any_grouping(training, parts):
    made = bins.categories(training)
    a, b, c = (bins.count(made, part) for part in parts)
    assert (a + b) + c == a + (b + c) == bins.count(made, reduce(lambda x, y: x + y, parts))


@given(NUMBERS, NUMBERS)
def test_counts_of_numbers_add_up(one, other):
    made = bins.numbers(one)
    assert made.counts + bins.count(made, other) == bins.count(made, one + other)


def test_counts_of_different_bins_do_not_add_up():
    with pytest.raises(ValueError, match="zip"):
        bins.Counts(bins=(1,)) + bins.Counts(bins=(1, 2))


def test_bins_hold_about_as_many_values_each():
    made = bins.numbers(np.random.default_rng(0).normal(size=10_000))
    assert made.counts.bins == (500,) * 20


def test_a_value_that_fills_several_quantiles_gets_one_bin():
    made = bins.numbers([0] * 900 + list(range(1, 101)))
    assert (made.edges, made.highest) == ((0.0, 1.0, 51.0), 100.0)
    assert made.counts.bins == (900, 50, 50)


@pytest.mark.parametrize(
    ("training", "edges", "highest"),
    [
        ([7, 7, 7], (7.0,), 7.0),
        ([3, 1, 1], (1.0, 3.0), 3.0),
        ([None, math.nan], (), None),
        ([], (), None),
        ([math.inf, 1], (1.0,), 1.0),
    ],
)
def test_few_values_and_none(training, edges, highest):
    made = bins.numbers(training)
    assert (made.edges, made.highest) == (edges, highest)


def test_where_later_numbers_fall():
    made = bins.numbers([1, 2, 3])
    counts = bins.count(made, [0.9, 1, 2.5, 3, 3.1, None, math.nan, math.inf, -math.inf, "x", True])
    assert counts == bins.Counts(bins=(1, 1, 1), below=2, above=2, missing=2, other=2)
    assert counts.out_of_range == 4


def test_arrays_count_as_lists_do():
    made = bins.numbers([1, 2, 3])
    assert (
        bins.count(made, np.array([1, 5]))
        == bins.count(made, np.array([1.0, 5.0], dtype=np.float32))
        == bins.count(made, [1, 5])
    )


def test_a_number_in_a_column_that_had_none_is_above_all():
    assert bins.count(bins.numbers([None]), [1.0, None]) == bins.Counts(bins=(), above=1, missing=1)


def test_where_later_categories_fall_when_all_are_known():
    made = bins.categories(["b", "a", "b", None])
    assert made.names == ("b", "a")
    assert bins.count(made, ["a", "zz", None]) == bins.Counts(bins=(0, 1), unseen=1, missing=1)


def test_where_later_categories_fall_beyond_the_named_ones():
    training = [f"n{number:02}" for number in range(bins.MOST_CATEGORIES + 2)]
    made = bins.categories([*training, training[-1]])
    assert (len(made.names), made.names[0], made.complete, made.counts.other) == (
        bins.MOST_CATEGORIES,
        "n51",
        False,
        2,
    )
    assert bins.count(made, ["n50", "new"]) == bins.Counts(bins=(0,) * bins.MOST_CATEGORIES, other=2)


def test_values_that_may_come_are_known_before_they_do():
    made = bins.categories(["a"], known=["a", "b"])
    assert (made.names, made.counts.bins) == (("a", "b"), (1, 0))
    assert bins.count(made, ["b"]).unseen == 0


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "1"),
        (1.0, "1"),
        (np.float64(1.5), "1.5"),
        (np.int64(3), "3"),
        (True, "true"),
        (np.False_, "false"),
        ("1", "1"),
        (None, None),
        (math.nan, None),
        ([1], "[1]"),
    ],
)
def test_the_name_of_a_category(value, name):
    assert bins.text(value) == name


def test_one_and_true_are_two_categories():
    assert bins.categories([1, True, 1]).names == ("1", "true")


BASELINE = bins.make(
    {"a": [1, None], "g": ["x", "y"], "y": [0, 1]},
    {"a": "numbers", "g": "categories", "y": "categories"},
    "y",
)


def test_a_baseline_has_features_and_the_label_apart():
    assert (list(BASELINE.features), BASELINE.label, BASELINE.rows) == (["a", "g"], "y", 2)
    assert BASELINE.outcome.names == ("0", "1")


def test_a_baseline_is_read_as_it_was_written():
    assert bins.decode(bins.encode(BASELINE)) == BASELINE


@pytest.mark.parametrize(
    "content", [b"{", b"{}", bins.encode(BASELINE).replace(b'"format": 1', b'"format": 2')]
)
def test_what_is_no_baseline_is_refused(content):
    with pytest.raises(IntegrityError, match=r"baseline\.json"):
        bins.decode(content)


@given(st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=300))
def test_the_baseline_has_the_moments_and_percentiles_of_its_numbers(values):
    made = bins.decode(bins.encode(bins.make({"x": values}, {"x": "numbers"}, "x"))).outcome
    assert (made.moments.count, made.moments.low, made.moments.high) == (
        len(values),
        min(values),
        max(values),
    )
    assert len(made.percentiles) == 101
    for percent, value in enumerate(made.percentiles):
        assert sum(one <= value for one in values) >= len(values) * percent / 100
        assert sum(one < value for one in values) <= len(values) * percent / 100


def test_a_baseline_of_an_earlier_release_is_read():
    made = bins.make({"x": [1.0, 2.0]}, {"x": "numbers"}, "x")
    old = bins.encode(made).replace(b'"moments"', b'"unknown"').replace(b'"percentiles"', b'"unknown"')
    assert bins.decode(old).outcome.moments is None
