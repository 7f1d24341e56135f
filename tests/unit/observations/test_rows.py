import hashlib

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.observations.rows import row_hashes

CELLS = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text("ab01 .é"),
    st.booleans(),
)


def hashed(*values):
    return row_hashes(pd.DataFrame({"a": pd.Series(list(values), dtype=object)})).tolist()


def test_the_hash_is_blake2b_of_the_canonical_text():
    expected = int.from_bytes(hashlib.blake2b(b"7.11\x1fmale", digest_size=8).digest(), "big")
    assert row_hashes(pd.DataFrame({"gender": ["male"], "fare": [7.11]})).tolist() == [expected]


@pytest.mark.parametrize("written", ["42", "42.0", "+42", "042", " 42 ", "4.2e1", 42, 42.0])
def test_a_number_is_one_value_however_it_is_written(written):
    assert hashed(written) == hashed(42)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("True", True),
        ("FALSE", False),
        ("", None),
        (float("nan"), None),
        ("-0", 0),
        (1e16, 10**16),
        (".5", 0.5),
    ],
)
def test_other_ways_of_writing_one_value(one, other):
    assert hashed(one) == hashed(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "A"),
        ("a", "a "),
        (0, None),
        ("", "0"),
        (1, True),
        ("1e400", "1e401x"),
        (2**62, 2**62 + 1),
        ("9" * 20, "9" * 19 + "8"),
    ],
)
def test_different_values_differ(one, other):
    assert hashed(one) != hashed(other)


def test_text_and_numbers_of_one_table_hash_alike():
    numbers = pd.DataFrame(
        {"a": [1, 2, 3], "b": [0.25, None, 1e-7], "c": [True, False, True], "d": ["x", None, "y"]}
    )
    assert (
        row_hashes(numbers).tolist()
        == row_hashes(numbers.astype(object).map(lambda v: "" if pd.isna(v) else str(v))).tolist()
    )


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.randoms())
def test_neither_the_order_of_rows_nor_that_of_columns_matters(rows, random):
    frame = pd.DataFrame(
        {
            "b": pd.Series([b for b, _ in rows], dtype=object),
            "a": pd.Series([a for _, a in rows], dtype=object),
        }
    )
    order = random.sample(range(len(rows)), len(rows))
    assert row_hashes(frame[["a", "b"]].iloc[order]).tolist() == row_hashes(frame)[order].tolist()


def test_values_do_not_run_into_each_other():
    assert row_hashes(pd.DataFrame({"a": ["xy"], "b": ["z"]})) != row_hashes(
        pd.DataFrame({"a": ["x"], "b": ["yz"]})
    )


def test_types_that_a_parquet_file_brings():
    frame = pd.DataFrame(
        {"c": pd.Categorical(["x", None, "x"]), "t": pd.to_datetime(["2024-01-01", None, "2024-01-01"])}
    )
    first, second, third = row_hashes(frame).tolist()
    assert first == third != second


def test_no_rows_have_no_hashes():
    assert row_hashes(pd.DataFrame({"a": []})).size == 0


def test_rows_without_columns_are_refused():
    with pytest.raises(ValueError, match="no content"):
        row_hashes(pd.DataFrame(index=[0, 1]))
