from __future__ import annotations

import pytest

from loopwright.spec.scalars import resolve


@pytest.mark.parametrize(
    "text", ["no", "yes", "on", "off", "y", "n", "1:30", "2024-01-01", "1_000", "0b1", "+-1", "1e", "."]
)
def test_what_yaml_1_1_would_twist_is_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("", None), ("~", None), ("null", None), ("true", True), ("False", False), ("12", 12), ("-3", -3), ("010", 10),
     ("0o17", 15), ("0xff", 255), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("-1.", -1.0)],
)  # fmt: skip
def test_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    resolved = resolve(text)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize(
    "text", ["9" * 5000, "0x" + "f" * 5000, "9223372036854775808", "1e999", ".nan", "-.inf"]
)
def test_numbers_that_json_cannot_carry_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"64 bits|finite"):
        resolve(text)
