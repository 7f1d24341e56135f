import datetime as dt
import decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.datasets.columns import Guess, convert, guess

TEXT = pa.large_string()


def converted(values, wanted, **how):
    column = convert(pa.array(values, TEXT), wanted, **how)
    return [
        None if v != v or v is None else v
        for v in column.values.astype(object).where(column.values.notna(), None)
    ], column.unreadable.tolist()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("+3", 3),
        (" 2 ", 2),
        ("007", 7),
        ("4.0", 4),
        ("1e3", 1000),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_what_is_an_integer(text, value):
    assert converted([text], "integer") == ([value], [False])


@pytest.mark.parametrize("text", ["4.5", "x", "9223372036854775808", "1_0", "1,0", "nan", "true", "1e17"])
def test_what_is_no_integer(text):
    assert converted([text, None], "integer") == ([None, None], [True, False])


@pytest.mark.parametrize(("text", "value"), [(".5", 0.5), ("5.", 5.0), ("-1E-3", -0.001), ("7", 7.0)])
def test_what_is_a_number(text, value):
    assert converted([text], "number") == ([value], [False])


@pytest.mark.parametrize("text", ["inf", "nan", "NaN", "1e400", "0x1", "1_0", "12 kg", "."])
def test_what_is_no_number(text):
    assert converted([text], "number") == ([None], [True])


def test_true_and_false_in_any_case_and_no_0_or_1():
    assert converted(["True", "FALSE", "1", "no", None], "boolean") == (
        [True, False, None, None, None],
        [False, False, True, True, False],
    )


def test_texts_that_mean_missing():
    column = convert(pa.array(["1", "NA", None, "x"], TEXT), "integer", missing=("NA",))
    assert column.missing.tolist() == [False, True, True, False]
    assert column.unreadable.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("values", "wanted", "unreadable"),
    [
        (pa.array([1.0, 2.5]), "integer", [False, True]),
        (pa.array([1, 2**64 - 1], pa.uint64()), "integer", [False, True]),
        (pa.array([1, 2]), "number", [False, False]),
        (pa.array([1, 2]), "string", [True, True]),
        (pa.array([True]), "number", [True]),
        (pa.array([True]), "integer", [True]),
        (pa.array([1]), "boolean", [True]),
        (pa.array([decimal.Decimal("1.5")]), "number", [False]),
        (pa.array([dt.date(2024, 1, 1)]), "number", [True]),
    ],
)
def test_types_that_a_parquet_file_brings(values, wanted, unreadable):
    assert convert(values, wanted).unreadable.tolist() == unreadable


def test_times_are_text_as_in_json():
    assert convert(pa.array([dt.date(2024, 1, 2)]), "string").values.tolist() == ["2024-01-02"]


@pytest.mark.parametrize(
    ("values", "guessed"),
    [
        (["1", "-2"], Guess("integer")),
        (["0", "1", None], Guess("integer")),
        (["1", "2.5"], Guess("number")),
        (["1e5"], Guess("number")),
        (["007", "12"], Guess("string")),
        (["1" * 20], Guess("string")),
        (["true", "False"], Guess("boolean")),
        (["yes", "no"], Guess("string")),
        (["nan"], Guess("string")),
        ([None], Guess("string")),
        (["1"] * 9 + ["NA"], Guess("integer", ("NA",))),
        (["1"] * 9 + ["abc"], Guess("integer")),
        (["1"] * 8 + ["abc"] * 2, Guess("string")),
    ],
)
def test_the_type_that_values_suggest(values, guessed):
    assert guess(pa.array(values, TEXT)) == guessed


def test_a_typed_column_is_taken_at_its_word():
    assert [guess(pa.array(values)).type for values in ([1], [1.5], [True], [dt.date(2024, 1, 1)])] == [
        "integer",
        "number",
        "boolean",
        "string",
    ]


@given(
    st.lists(
        st.one_of(st.none(), st.text("0123456789+-. x", max_size=6).map(lambda text: text or None)),
        min_size=1,
    )
)
def test_what_most_values_suggest_reads_most_values(values):
    column = pa.array(values, TEXT)
    unreadable = convert(column, guess(column).type).unreadable
    assert unreadable.sum() <= 0.1 * (len(values) - column.null_count)
