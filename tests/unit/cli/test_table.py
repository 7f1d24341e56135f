import pytest

from loopwright.cli.table import cut, fields, listing, local, pairs, person, seconds, short, size


def test_a_listing_is_cut_to_the_terminal_and_to_nothing_else() -> None:
    rows = [["titanic:1", "2026-01-01"], ["titanic:10", "x" * 40]]
    assert listing(("VERSION", "SINCE"), rows)[2] == f"titanic:10  {'x' * 40}"
    lines = listing(("VERSION", "SINCE"), rows, width=20)
    assert [len(line) for line in lines] == [17, 20, 20]
    assert lines[2].endswith("…")


def test_a_field_of_several_lines_stays_in_its_column() -> None:
    assert fields({"a": "1\n2", "long": "3", "none": ""}, "  ") == ["  a     1", "        2", "  long  3"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (0.42, "0.4s"),
        (12.4, "12s"),
        (185, "3m05s"),
        (7800, "2h10m"),
        (4 * 86400 + 6 * 3600, "4d06h"),
        (365 * 86400, "365d"),
    ],
)
def test_durations(value: float | None, expected: str) -> None:
    assert seconds(value) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(12, "12 B"), (1536, "1.5 KiB"), (3 * 1024**4, "3072.0 GiB")]
)
def test_sizes(count: int, expected: str) -> None:
    assert size(count) == expected


def test_a_time_is_shown_in_this_zone_with_its_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert local("2026-03-01T13:05:09.123+00:00") == "2026-03-01 14:05:09 +01:00"
        assert local(None) == ""
    finally:
        monkeypatch.undo()
        time.tzset()


def test_short_forms() -> None:
    assert short("sha256:" + "ab" * 32) == "abababababab"
    assert person("Ann <ann@example.com>") == person("Ann") == "Ann"
    assert pairs({"a": 0.83052, "b": 2, "c": None}, 2) == "a=0.8305 b=2 …"
    assert cut("abcdef", 4) == "abc…"
