from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from loopwright.evaluation.slices import MISSING, assign


def test_values_are_slices():
    assert assign(["male", "female", None, "male"]) == ["male", "female", MISSING, "male"]


def test_few_numbers_are_not_cut():
    assert assign([1, 2, 3, 1, None]) == ["1", "2", "3", "1", MISSING]


def test_many_numbers_are_cut_in_quartiles():
    slices = assign([*range(1, 101), None])
    assert slices[0] == "1 to 25.75"
    assert slices[-2] == "75.25 to 100"
    assert slices[-1] == MISSING
    assert Counter(slices[:-1]).most_common()[-1][1] == 25


def test_text_of_digits_is_never_cut():
    codes = [f"{number:05}" for number in range(50)]
    assert assign(codes) == codes


def test_heavily_repeated_numbers_give_fewer_bins():
    slices = assign([0.0] * 90 + [float(n) for n in range(1, 21)])
    assert set(slices[:90]) == {"0 to 20"}


@given(st.lists(st.none() | st.floats(-1e6, 1e6) | st.integers(-100, 100), max_size=60))
def test_every_value_has_exactly_one_slice(values):
    slices = assign(values)
    assert len(slices) == len(values)
    assert [one == MISSING for one in slices] == [value is None for value in values]
