"""Values made to fit MLflow."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.catalog import limits
from loopwright.errors import PermanentError


@settings(deadline=None)
@given(st.text(max_size=200), st.integers(60, 120))
def test_a_long_value_is_cut_and_says_so(value: str, most: int) -> None:
    (pair,) = limits.pairs({"key": value}, most)
    assert len(pair["value"]) <= most
    assert (
        pair["value"] == value
        if len(value) <= most
        else pair["value"].endswith(f"(cut off: {len(value)} characters)")
    )


def test_batches_hold_everything_in_order() -> None:
    assert [list(part) for part in limits.batches(range(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(limits.batches([], 3)) == []


def test_values_in_searches_are_quoted() -> None:
    assert (limits.quoted("a b"), limits.quoted("it's")) == ("'a b'", '"it\'s"')
    with pytest.raises(PermanentError, match="both kinds of quotes"):
        limits.quoted("'\"")


def test_importing_the_room_brings_no_http_client() -> None:
    script = "import sys, loopwright.catalog; sys.exit(bool({'httpx', 'mlflow', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
