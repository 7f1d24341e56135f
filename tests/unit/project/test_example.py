"""The example is what its documents say: real rows, and scripts that know nothing of Loopwright."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from loopwright.operations.declaration import read_declaration

EXAMPLE = Path(__file__).parents[3] / "examples" / "titanic"
PASSENGERS = {"1st", "2nd", "3rd"}


def rows(name: str) -> list[dict[str, str]]:
    with (EXAMPLE / "data" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("example", ["titanic", "digits"])
def test_its_spec_is_valid_and_has_no_known_trap(example: str) -> None:
    assert read_declaration(EXAMPLE.parent / example).warnings == ()


def test_passengers_are_learned_from_and_the_crew_comes_later() -> None:
    passengers, crew = rows("passengers"), rows("crew")
    assert (len(passengers), len(crew)) == (1317, 890)
    assert {row["class"] for row in passengers} == PASSENGERS
    assert not {row["class"] for row in crew} & PASSENGERS
    assert list(passengers[0]) == list(crew[0])


@pytest.mark.parametrize(
    "script", ["titanic/training.py", "titanic/score.py", "digits/train.py", "digits/score.py"]
)
def test_its_scripts_know_nothing_of_loopwright(script: str) -> None:
    assert "loopwright" not in (EXAMPLE.parent / script).read_text().lower()


@pytest.mark.parametrize("example", ["titanic", "digits"])
def test_its_requirements_are_pinned_exactly(example: str) -> None:
    lines = (EXAMPLE.parent / example / "requirements.txt").read_text().split()
    assert lines
    assert all(re.fullmatch(r"[a-z-]+==[\d.]+", line) for line in lines)
