import math

import pytest

from loopwright.evaluation.labels import canonical, number, ordered


@pytest.mark.parametrize("value", [1, 1.0, "1", "1.0", " 1 ", "+1", True, "true", "True", "TRUE"])
def test_one_is_one_however_it_is_written(value):
    assert canonical(value) == "1"


@pytest.mark.parametrize("value", [0, 0.0, -0.0, "0", "0.0", "-0", "-0.0", False, "false"])
def test_zero_is_zero_however_it_is_written(value):
    assert canonical(value) == "0"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(2.5, "2.5"), ("2.50", "2.5"), (-3, "-3"), ("-3.0", "-3"), (0.1, "0.1"), (10**30, str(10**30))],
)
def test_numbers_have_one_shortest_form(value, expected):
    assert canonical(value) == expected


@pytest.mark.parametrize("text", ["007", "1e3", "1_000", "٣", "nan", "inf", "yes", "Yes", "1,5", ""])
def test_text_that_is_no_plain_numeral_stays_as_it_is(text):
    assert canonical(text) == text


def test_case_distinguishes_labels():
    assert canonical("Yes") != canonical("yes")


@pytest.mark.parametrize("value", [None, math.nan])
def test_missing_is_none(value):
    assert canonical(value) is None


@pytest.mark.parametrize("value", [[1], {"label": 1}])
def test_lists_and_objects_are_no_labels(value):
    with pytest.raises(TypeError, match="is no label"):
        canonical(value)


@pytest.mark.parametrize(("value", "expected"), [(1, 1.0), ("12.5", 12.5), ("1e-3", 0.001), (-2.5, -2.5)])
def test_numbers(value, expected):
    assert number(value) == expected


@pytest.mark.parametrize("value", [True, None, "abc", "", math.inf, "inf", 10**400, [1]])
def test_no_numbers(value):
    assert number(value) is None


def test_classes_are_ordered_by_value_then_text():
    assert ordered(["10", "9", "b", "a", "9"]) == ("9", "10", "a", "b")
