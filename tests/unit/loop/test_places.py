"""Where the reason of a failure can be changed, as file, line and column of the change's own files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loopwright.catalog import Store
from loopwright.errors import MachineError, Place, StepFailed, from_report, resting_on
from loopwright.loop.change import Change
from loopwright.loop.places import in_scripts, with_places

SPEC = """\
evaluation:
  gates:
    - {metric: accuracy, min: 0.75}
    - {metric: accuracy, min_versus_champion: -0.01}
serving: {entry: score.py}
"""
SCHEMA = "columns:\n  class of travel:\n    values: [1st]\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def change(store: Store) -> Change:
    files = {"schemas/p.yaml": SCHEMA, "score.py": "def init():\n    1 / 0\n"}
    kept = {path: store.put_bytes(text.encode()) for path, text in files.items()}
    spec = store.put_bytes(SPEC.encode())
    return Change("toy-1", "toy", "/w", spec, kept, {}, None, False, None, "ada", False, "ada", 1.0)


def test_a_path_of_the_spec_gets_its_line(change: Change, store: Store) -> None:
    message, places = with_places(
        StepFailed("accuracy 0.7 < 0.75", ["evaluation.gates.0.min"]), change, store
    )
    assert places == (Place("evaluation.gates.0.min", "loopwright.yaml", 3, 31),)
    assert message.splitlines()[1:] == [
        "Where to change that:",
        "    loopwright.yaml:3:31  evaluation.gates.0.min",
    ]


def test_what_the_file_does_not_state_is_the_part_that_would_hold_it(change: Change, store: Store) -> None:
    _, (place,) = with_places(StepFailed("m", ["serving.resources.memory"]), change, store)
    assert (place.line, place.column) == (5, 1)


def test_a_rule_of_the_schema_is_found_whatever_its_columns_are_called(change: Change, store: Store) -> None:
    rule = Place("columns.class of travel.values", "schemas/p.yaml")
    _, (place,) = with_places(StepFailed("m", [rule]), change, store)
    assert (place.file, place.line, place.column) == ("schemas/p.yaml", 3, 13)


def test_a_traceback_gives_the_innermost_frame_of_the_users_own(change: Change, store: Store) -> None:
    said = (
        'File "/x/runpy.py", line 9\n  File "/home/jobs/t/code/score.py", line 2, in init\n'
        '  File "/lib/joblib.py", line 7'
    )
    assert with_places(StepFailed(said), change, store)[1] == (Place("", "score.py", 2),)


def test_our_own_short_form_is_read_and_not_told_twice(change: Change, store: Store) -> None:
    message, places = with_places(StepFailed("init failed: no (score.py:2)"), change, store)
    assert places == (Place("", "score.py", 2),)
    assert message.splitlines()[-1] == "    score.py:2:1"
    named = StepFailed("score.py:2:1: no", [Place("", "score.py", 2)])
    assert with_places(named, change, store)[0] == named.message


def test_a_package_that_is_missing_points_to_the_requirements_too(change: Change, store: Store) -> None:
    spec = store.put_bytes(b"training:\n  dependencies: {requirements: requirements.txt}\n")
    change = replace(
        change, spec=spec, files=dict(change.files) | {"requirements.txt": store.put_bytes(b"joblib")}
    )
    failed = StepFailed("init failed: ModuleNotFoundError: No module named 'pandas' (score.py:2)")
    message, places = with_places(failed, change, store)
    assert places == (Place("", "score.py", 2), Place("", "requirements.txt", 1))
    assert "pandas is not among the requirements: add it to requirements.txt." in message
    own = StepFailed("init failed: ModuleNotFoundError: No module named 'score' (score.py:2)")
    assert with_places(own, change, store)[1] == (Place("", "score.py", 2),)
    for later in ("ValueError: no rows", "RuntimeError: too many rows: No module named 'pandas'"):
        log = f"exit status 1.\n    ModuleNotFoundError: No module named 'cupy'\n    going on\n    {later}"
        assert "requirements" not in with_places(StepFailed(log), change, store)[0]


def test_what_is_no_verdict_or_has_no_known_file_gets_no_place(change: Change, store: Store) -> None:
    assert with_places(MachineError("no room"), change, store) == ("no room", ())
    assert with_places(StepFailed("m", [Place("a", "gone.yaml")]), change, store) == ("m", ())
    assert in_scripts('File "/usr/lib/other.py", line 3', change.files) == ()


def test_many_places_are_counted(change: Change, store: Store) -> None:
    many = [Place(f"columns.{n}", "score.py", n + 1) for n in range(11)]
    message, places = with_places(StepFailed("m", many), change, store)
    assert len(places) == 11
    assert message.endswith("\n    and 3 more")


def test_a_block_gives_its_place_only_to_what_has_none() -> None:
    with pytest.raises(StepFailed) as own, resting_on("a"):
        raise StepFailed("m", ["b"])
    with pytest.raises(StepFailed) as none, resting_on("a"):
        raise StepFailed("m")
    assert (own.value.places, none.value.places) == ((Place("b"),), (Place("a"),))


def test_places_survive_the_way_through_json() -> None:
    error = StepFailed("m", ["evaluation.gates"])
    again = from_report(error.code, error.message, error.details())
    assert isinstance(again, StepFailed)
    assert again.places == error.places
