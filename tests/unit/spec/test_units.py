from __future__ import annotations

import math
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from loopwright.spec import units

TYPES = {
    name: TypeAdapter(getattr(units, name))
    for name in (
        "Duration", "PositiveDuration", "Fraction", "PositiveFraction", "ProperFraction", "SignedFraction", "Cores", "Bytes",
    )
}  # fmt: skip


def read(name: str, value: object) -> Any:
    return TYPES[name].validate_python(value)


def refused(name: str, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        read(name, value)
    complaint = caught.value.errors()[0]["ctx"]["complaints"][0]
    return f"found {complaint.found}, expected {complaint.expected}. {complaint.hint}"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("Duration", "30d", 2_592_000.0),
        ("Duration", "12h", 43_200.0),
        ("Duration", "10m", 600.0),
        ("Duration", "5s", 5.0),
        ("Duration", "250ms", 0.25),
        ("Duration", "1h30m", 5_400.0),
        ("Duration", "1d2h3m4s5ms", 93_784.005),
        ("Duration", "0.1s", 0.1),
        ("Duration", "0s", 0.0),
        ("Duration", 2, 2.0),
        ("Fraction", "70%", 0.7),
        ("Fraction", "99.9%", 0.999),
        ("Fraction", 1, 1.0),
        ("SignedFraction", "-1%", -0.01),
        ("SignedFraction", 1234.5, 1234.5),
        ("Cores", "500m", 0.5),
        ("Cores", "2", 2.0),
        ("Cores", 0.5, 0.5),
        ("Bytes", "1Gi", 2**30),
        ("Bytes", "512Mi", 512 * 2**20),
        ("Bytes", "1G", 10**9),
        ("Bytes", "1.5Ki", 1536),
        ("Bytes", "1048576", 1_048_576),
        ("Bytes", 1024, 1024),
    ],
)
def test_reads_the_notations_of_the_field(name: str, text: object, value: float) -> None:
    assert read(name, text) == value
    assert type(read(name, text)) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        (
            "Duration",
            "5 minutes",
            "found the text `5 minutes`, expected a duration in d, h, m, s or ms, such as `30d`",
        ),
        ("Duration", "5 minutes", "Did you mean `5m`?"),
        ("Duration", "30m1h", "expected a duration"),
        ("Duration", "7", "Did you mean `7s`?"),
        ("Duration", -1, "found `-1`, expected a duration"),
        ("PositiveDuration", "0s", "above 0"),
        ("Fraction", 70, "Did you mean `70%`?"),
        ("Fraction", "0.7", "Did you mean `70%`?"),
        ("Fraction", "100.1%", "a share from 0% to 100%"),
        ("ProperFraction", "100%", "above 0% and below 100%"),
        ("ProperFraction", 0, "above 0% and below 100%"),
        ("SignedFraction", "half", "such as 0.75, `75%` or -0.01"),
        ("Cores", "2 cores", "Did you mean `2`?"),
        ("Cores", 0, "a number of cores above 0"),
        ("Bytes", "500m", "Did you mean `500Mi`?"),
        ("Bytes", "512 MB", "such as `512Mi`, `1G` or 1048576"),
        ("Bytes", 1.5, "a size in bytes"),
    ],
)
def test_a_bad_unit_names_what_was_found_and_the_notations(name: str, value: object, part: str) -> None:
    assert part in refused(name, value)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("value", [True, None, [], {}, math.nan, math.inf, "", "5s\n", "\u0665s"])
def test_what_is_no_quantity_is_refused_by_every_type(name: str, value: object) -> None:
    assert "expected" in refused(name, value)


@given(st.integers(0, 9999 * 86_400 * 10**6))
def test_a_duration_that_is_shown_reads_as_itself(microseconds: int) -> None:
    seconds = microseconds / 1e6
    assert read("Duration", units.show_duration(seconds)) == seconds


@given(st.floats(0, 1))
def test_a_share_that_is_shown_reads_as_itself(share: float) -> None:
    shown = units.show_fraction(share)
    assert read("Fraction", shown if shown.endswith("%") else float(shown)) == share


@given(st.integers(1, 2**59))
def test_a_size_that_is_shown_reads_as_itself(size: int) -> None:
    assert read("Bytes", units.show_bytes(size)) == size


@given(st.integers(1, 9_999_999))
def test_cores_that_are_shown_read_as_themselves(thousandths: int) -> None:
    cores = thousandths / 1000
    assert read("Cores", units.show_cores(cores)) == pytest.approx(cores)


_NUMBERS = (
    st.integers(-10, 120)
    | st.integers()
    | st.floats(-2, 2)
    | st.floats(allow_nan=False, allow_infinity=False)
)
_TEXTS = st.from_regex(
    r"\A-?[0-9]{1,4}(\.[0-9]{1,4})?(d|h|m|s|ms|%|k|Ki|Gi|MB| s)?([0-9]{1,3}(m|s|ms))?\Z"
) | st.text(max_size=6)


@pytest.mark.parametrize("name", TYPES)
@given(value=_NUMBERS | _TEXTS | st.booleans() | st.none())
@settings(deadline=None)
def test_the_schema_admits_exactly_what_is_read(name: str, value: object) -> None:
    admitted = jsonschema.Draft202012Validator(TYPES[name].json_schema()).is_valid(value)
    try:
        read(name, value)
    except ValidationError:
        # `$` of Python's regular expressions, unlike ECMA's, lets one line break pass.
        assert not admitted or str(value).endswith("\n")
    else:
        assert admitted
