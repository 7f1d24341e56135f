import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from loopwright.cli.moments import _moment, end, past

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC).timestamp()


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An hour ahead of UTC."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "last", "expected"),
    [
        ("2026-03-01", False, "2026-02-28T23:00:00+00:00"),
        ("2026-03-01", True, "2026-03-01T22:59:59.999999+00:00"),
        ("2026-03-01T14:05", True, "2026-03-01T13:05:00+00:00"),
        ("2026-03-01 14:05:09.5+00:00", False, "2026-03-01T14:05:09.500000+00:00"),
        ("2026-03-01T14:05:00Z", False, "2026-03-01T14:05:00+00:00"),
        ("90m", False, "2026-03-02T10:30:00+00:00"),
        ("2h ago", True, "2026-03-02T10:00:00+00:00"),
        ("1w", False, "2026-02-23T12:00:00+00:00"),
        ("Yesterday", False, "2026-02-28T23:00:00+00:00"),
        ("today", True, "2026-03-02T22:59:59.999999+00:00"),
        ("now", False, "2026-03-02T12:00:00+00:00"),
    ],
)
def test_moments_as_people_type_them(text: str, last: bool, expected: str) -> None:
    assert datetime.fromtimestamp(_moment(text, NOW, last), UTC).isoformat() == expected


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "3 months", "07:43", "2026-3-1"])
def test_what_is_no_moment_is_told_with_what_is_expected(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected a time such as 2026-03-01"):
        end(text)


def test_what_served_cannot_be_asked_of_the_future() -> None:
    assert past("now") == "now"
    with pytest.raises(argparse.ArgumentTypeError, match="still to come"):
        past("2999-01-01")
