"""The command `observations`, on what a recorder left in a state folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from driving import Cli
from recordings import record, recording

from loopwright.observations.blocks import Event

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    home = tmp_path_factory.mktemp("observed")

    async def story() -> None:
        async with recording(home / "observations/dev/titanic") as recorder:
            for number in range(30):
                record(recorder, number, [(float(number), "male")], role="live" if number % 3 else "mirror")
            await recorder.feedback([Event(5.0, id="q-29", label=1)])

    asyncio.run(story())
    return Cli(home)


def test_the_newest_are_shown_and_what_more_there_is(cli: Cli) -> None:
    shown = cli("observations", "titanic", "--limit", "2", "--labels").stdout
    lines = [line.split() for line in shown.splitlines()]
    assert lines[0][-4:] == ["age", "sex", "prediction", "label"]
    assert lines[2][-4:] == ["29", "male", "1", "1"]
    assert "These are the newest 2" in shown


def test_they_are_written_as_one_table(cli: Cli, tmp_path: Path) -> None:
    told = cli.json("observations", "tit", "--role", "live", "--labels", "--out", str(tmp_path / "x.parquet"))
    table = pq.read_table(tmp_path / "x.parquet")
    assert told["rows"] == table.num_rows == 20
    assert table.filter(table["label"].is_valid())["id"].to_pylist() == ["q-29"]
    again = cli("observations", "titanic", "--out", str(tmp_path / "x.parquet"), expect=1)
    assert "is there already" in again.stderr


def test_distributions_are_those_of_one_role(cli: Cli) -> None:
    found = cli.json("observations", "titanic", "--distributions", "--role", "mirror")
    assert {one["name"]: one["rows"] for one in found["columns"]} == {"age": 10, "sex": 10, "prediction": 10}


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("nobody",), 1, "No workload with observations 'nobody' is known here. Known: titanic."),
        (
            ("titanic", "--out", "/nowhere/x.csv"),
            1,
            "/nowhere/x.csv cannot be written: No such file or directory.",
        ),
        (("titanic", "--environment", "prod"), 1, "No environment with observations 'prod'"),
        (("titanic", "--out", "x.txt"), 2, "expected a name that ends in .parquet, .csv, .arrow"),
        (("titanic", "--distributions", "--labels"), 2, "--distributions does not take --labels"),
        (("titanic", "--since", "1h", "--until", "2h"), 2, "--since is later than --until"),
        (("titanic", "--role", "someone"), 2, "invalid choice"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    cli: Cli, words: tuple[str, ...], status: int, message: str
) -> None:
    assert message in cli("observations", *words, expect=status).stderr


def test_a_state_folder_without_any_says_so(tmp_path: Path) -> None:
    assert (
        "no replica has recorded a request yet" in Cli(tmp_path)("observations", "titanic", expect=1).stderr
    )
