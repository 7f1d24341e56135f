"""From somebody's own table to production, and the smaller examples: on one state folder, so that all share an environment."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import ROOT, Cli
from tables import Row, customers, houses, write

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A state folder of this file's own: other files count the workloads of theirs."""
    cli = Cli(tmp_path_factory.mktemp("starting"))
    yield cli
    cli("down")


def brought_up(cli: Cli, folder: Path) -> dict[str, Any]:
    """What production serves after `up`."""
    spec = folder / "loopwright.yaml"
    # The machine is shared with other tests: neither its time nor its memory is this test's to use up.
    smaller = {"p99: 2s": "p99: 20s", "p99: 1s": "p99: 20s", "{min: 2, max: ": "{min: 1, max: "}
    smaller |= {"requests: 500": "requests: 100", "requests: 2000": "requests: 200"}
    text = spec.read_text()
    for written, less in smaller.items():
        text = text.replace(written, less)
    spec.write_text(text)
    lines = cli("up", str(folder), "--auto-approve", "--json").stdout.splitlines()
    end: dict[str, Any] = json.loads(lines[-1])
    assert end["state"] == "succeeded"
    return dict(end["environments"]["prod"])


def drafted(cli: Cli, tmp_path: Path, name: str, rows: list[Row], label: str) -> Path:
    cli("init", str(tmp_path / name), "--data", str(write(tmp_path / "rows.csv", rows)), "--label", label)
    return tmp_path / name


def example(tmp_path: Path, name: str) -> Path:
    return Path(shutil.copytree(ROOT / "examples" / name, tmp_path / name))


def asked(serving: dict[str, Any], row: Row) -> Any:
    headers = {"content-type": "application/json", "authorization": f"Bearer {serving['key']}"}
    request = urllib.request.Request(serving["url"], json.dumps(row).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def test_a_draft_with_text_labels_from_columns_of_all_kinds_with_gaps(cli: Cli, tmp_path: Path) -> None:
    serving = brought_up(cli, drafted(cli, tmp_path, "customers", customers(), "class"))
    answer = asked(serving, serving["example"] | {"remark": None, "Größe: cm": None})
    assert answer["prediction"] in answer["probabilities"]
    assert len(answer["probabilities"]) == 3


def test_a_draft_of_a_regression(cli: Cli, tmp_path: Path) -> None:
    serving = brought_up(cli, drafted(cli, tmp_path, "houses", houses(), "price"))
    small, large = (asked(serving, {"size": size, "district": "A", "garden": True}) for size in (40, 190))
    assert 0 < small["prediction"] < large["prediction"] < 800_000


def test_the_titanic_example_whose_model_answers_by_itself(cli: Cli, tmp_path: Path) -> None:
    serving = brought_up(cli, example(tmp_path, "titanic"))
    woman = {
        "gender": "female",
        "age": 30,
        "class": "1st",
        "embarked": "Southampton",
        "fare": 50,
        "sibsp": 0,
        "parch": 0,
    }
    answer, of_many = asked(serving, woman), asked(serving, [woman, woman | {"embarked": "New York"}])
    assert answer["prediction"] == 1
    assert 0.5 < answer["probability"] <= 1
    assert of_many[0] == answer
    assert len(of_many) == 2


def test_the_diabetes_example(cli: Cli, tmp_path: Path) -> None:
    serving = brought_up(cli, example(tmp_path, "diabetes"))
    assert 25 < asked(serving, serving["example"])["prediction"] < 346


def test_the_texts_example(cli: Cli, tmp_path: Path) -> None:
    serving = brought_up(cli, example(tmp_path, "texts"))
    asking = [{"channel": "chat", "text": text} for text in ("I was charged twice", "where is the parcel")]
    assert [answer["topic"] for answer in asked(serving, asking)] == ["billing", "delivery"]
