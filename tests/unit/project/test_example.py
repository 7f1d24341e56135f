"""The examples are what their documents say: real rows, and scripts that know nothing of Loopwright."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from loopwright.operations.declaration import read_declaration

ROOT = Path(__file__).parents[3] / "examples"
EXAMPLES = sorted(path.parent.name for path in ROOT.glob("*/loopwright.yaml"))
PASSENGERS = {"1st", "2nd", "3rd"}


def rows(name: str, example: str = "titanic") -> list[dict[str, str]]:
    with (ROOT / example / "data" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("example", EXAMPLES)
def test_specs_are_valid_and_have_no_trap_but_those_that_are_told(example: str) -> None:
    folder = ROOT / example
    found = {warning.code for warning in read_declaration(folder).warnings}
    assert found == ({"one-replica"} if "replicas.min: 1" in (folder / "README.md").read_text() else set())


def test_passengers_are_learned_from_and_the_crew_comes_later() -> None:
    passengers, crew = rows("passengers"), rows("crew")
    assert (len(passengers), len(crew)) == (1317, 890)
    assert {row["class"] for row in passengers} == PASSENGERS
    assert not {row["class"] for row in crew} & PASSENGERS
    assert list(passengers[0]) == list(crew[0])


@pytest.mark.parametrize("example", EXAMPLES)
def test_scripts_know_nothing_of_loopwright(example: str) -> None:
    scripts = list((ROOT / example).glob("*.py"))
    assert scripts
    for script in scripts:
        assert "loopwright" not in script.read_text().lower()


@pytest.mark.parametrize("example", EXAMPLES)
def test_requirements_are_pinned_exactly(example: str) -> None:
    lines = (ROOT / example / "requirements.txt").read_text().split()
    assert lines
    assert all(re.fullmatch(r"[a-z-]+==[\d.]+", line) for line in lines)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_readme_lists_every_example(example: str) -> None:
    assert f"](examples/{example}/README.md)" in (ROOT.parent / "README.md").read_text()


def test_the_diabetes_data_is_what_its_source_has() -> None:
    from sklearn.datasets import load_diabetes

    source = load_diabetes(scaled=False)
    found = [[float(value) for value in row.values()] for row in rows("patients", "diabetes")]
    assert found == [
        [*row, label] for row, label in zip(source.data.tolist(), source.target.tolist(), strict=True)
    ]


def test_the_texts_are_what_their_script_makes(tmp_path: Path) -> None:
    script = tmp_path / "make.py"
    script.write_bytes((ROOT / "texts" / "data" / "make.py").read_bytes())
    subprocess.run([sys.executable, str(script)], check=True)
    assert (tmp_path / "texts.csv").read_bytes() == (ROOT / "texts" / "data" / "texts.csv").read_bytes()
