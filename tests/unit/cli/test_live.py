"""Progress is told once, in plain words."""

import io
from typing import Any

import pytest

from loopwright.cli.live import PlainLines, Screen, rows
from loopwright.cli.table import seconds
from loopwright.cli.up import announce, curl, failure


def step(name: str, state: str, message: str = "") -> dict[str, Any]:
    return {
        "step": name,
        "state": state,
        "message": message,
        "started_at": 10.0,
        "ended_at": 12.5,
        "approval": "",
    }


def test_a_state_is_told_when_it_changes_and_only_then() -> None:
    stream = io.StringIO()
    lines = PlainLines(stream)
    for state in ("running", "running", "done"):
        lines.show({"steps": [step("data", state), step("train", "waiting")]})
    assert stream.getvalue() == "data: running\ndata: done 2.5s\n"


def test_the_line_to_paste_is_whole_on_a_narrow_terminal_and_drawn_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "8")
    stream = io.StringIO()
    screen = Screen(stream, " --home /a/folder")
    progress = {"steps": [step(f"s{n}", "done", "m" * 60) for n in range(9)], "approval": "toy-3-prod"}
    screen.show(progress)
    *table, asking = stream.getvalue().splitlines()
    assert asking.endswith("loopwright approve toy-3-prod --home /a/folder   (or: reject)")
    assert 80 < len(asking) <= 120  # three rows of the eight, and the last is the cursor's
    assert (len(table), max(map(len, table))) == (4, 39)
    screen.show(progress)
    assert "\x1b[7F\x1b[J" in stream.getvalue()


@pytest.mark.parametrize("state", ["held", "done", "waiting", "manual", "stopped", "cached"])
def test_what_has_no_end_of_its_own_and_does_not_go_on_has_no_duration(state: str) -> None:
    one = step("prod", state) | {"ended_at": None}
    assert rows({"steps": [one]}, 99.0)[0][3] == ""
    assert rows({"steps": [one | {"state": "running"}]}, 99.0)[0][3] == "1m29s"


def test_every_step_that_failed_is_explained_at_the_end() -> None:
    lint, tidy, sweep = (
        step(name, "failed", f"{name} is wrong.")
        | {"own": True, "job": f"toy.{name}", "clean_up": clean, "places": []}
        for name, clean in (("lint", False), ("tidy", True), ("sweep", False))
    )
    progress = {"steps": [lint, tidy, sweep | {"job": ""}]}
    told = failure({"change": "toy-1", "workload": "toy"}, progress).message
    assert told.splitlines() == [
        "toy-1 has failed at lint, which nothing waits for: all else is done. lint is wrong.",
        "See also: loopwright logs toy lint",
        "sweep has failed, too. sweep is wrong.",
    ]


def test_warnings_are_told_once_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    asked = {"change": "toy-1", "workload": "toy", "finished": True, "warnings": ["one replica"], "plan": ""}
    for new in (True, False):
        announce(asked | {"new": new}, as_json=False)
    assert capsys.readouterr().err == "warning: one replica\n"


def test_durations_are_readable() -> None:
    assert [seconds(value) for value in (None, 0.44, 12.3, 185.0)] == ["", "0.4s", "12s", "3m05s"]


def test_the_curl_line_survives_quotes_in_the_example() -> None:
    import json
    import shlex

    serving = {"url": "http://h/s", "key": "k", "example": {"name": "O'Neil"}}
    words = shlex.split(curl(serving))
    assert words[0] == "curl"
    assert json.loads(words[-1]) == {"name": "O'Neil"}
    assert "Authorization: Bearer k" in words
