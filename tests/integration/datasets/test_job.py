"""The data step as the loop runs it, on an excerpt of the Titanic's passengers."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from loopwright.datasets import infer
from loopwright.datasets.job import work
from loopwright.errors import SpecError, StepFailed
from loopwright.observations import bins

DATA = Path(__file__).parents[2] / "data"
DAY = 86_400


@pytest.fixture
def step(tmp_path):
    """Runs the step in this process on a file, by default the passengers with their inferred schema."""
    schema = tmp_path / "schema"
    schema.write_text(infer(DATA / "passengers.csv", "survived"))

    def run(source=DATA / "passengers.csv", **given):
        outputs = tmp_path / "outputs"
        outputs.mkdir(exist_ok=True)
        told = {
            "name": "passengers",
            "source": str(source),
            "source_name": "data/passengers.csv",
            "schema": str(schema),
            "schema_name": "schemas/passengers.yaml",
            "label": "survived",
            "split": {"test": 0.25, "by": "row"},
            "fresh_within": None,
            "modified_at": 0.0,
            "now": 0.0,
        }
        return work(told | given, outputs), outputs

    return run


def test_rows_are_split_and_none_is_lost_or_changed(step):
    output, outputs = step()
    source = (DATA / "passengers.csv").read_text().splitlines()
    train, test = ((outputs / output[side]).read_text().splitlines() for side in ("train", "test"))
    assert train[0] == test[0] == source[0]
    assert sorted(train[1:] + test[1:]) == sorted(source[1:])
    assert not set(train[1:]) & set(test[1:])
    assert (output["rows"], output["train_rows"], output["test_rows"]) == (439, len(train) - 1, len(test) - 1)


def test_the_output_says_what_the_model_takes(step):
    output, _ = step()
    assert [column["name"] for column in output["columns"]] == [
        "gender",
        "age",
        "class",
        "embarked",
        "fare",
        "sibsp",
        "parch",
    ]
    assert output["columns"][2] == {
        "name": "class",
        "type": "string",
        "nullable": False,
        "categories": ["1st", "2nd", "3rd"],
    }
    assert (output["task"], sorted(output["label"]["balance"])) == ("classification", ["0", "1"])
    assert set(output["example"]) == {column["name"] for column in output["columns"]}
    assert output["warnings"] == []


def test_the_baseline_is_of_the_training_rows(step):
    output, outputs = step()
    baseline = bins.decode((outputs / "baseline.json").read_bytes())
    train = pd.read_csv(outputs / output["train"])
    assert baseline.rows == len(train) == output["train_rows"]
    assert baseline.features["class"].counts.bins == tuple(train["class"].value_counts())
    assert baseline.features["age"].counts == bins.count(baseline.features["age"], train["age"].to_numpy())
    assert (baseline.label, baseline.outcome.names) == ("survived", ("0", "1"))


def test_the_profile_describes_the_data_version(step):
    output, outputs = step()
    profile = json.loads((outputs / "profile.json").read_bytes())
    passengers = pd.read_csv(DATA / "passengers.csv")
    assert (profile["version"], profile["rows"]) == (output["version"], 439)
    assert profile["columns"]["fare"]["mean"] == pytest.approx(passengers["fare"].mean())
    assert profile["split"]["test_rows"] == output["test_rows"]


def test_the_same_data_gives_the_same_files(step):
    output, outputs = step()
    first = {path.name: path.read_bytes() for path in outputs.iterdir()}
    again, _ = step(now=5.0)
    assert again == output
    assert {path.name: path.read_bytes() for path in outputs.iterdir()} == first


def test_other_data_is_another_version_and_old_rows_keep_their_side(step, tmp_path):
    output, outputs = step()
    held_out = set((outputs / "test.csv").read_text().splitlines())
    grown = tmp_path / "grown.csv"
    grown.write_text((DATA / "passengers.csv").read_text() + "male,42.0,1st,Belfast,0.5,0,0,1\n")
    assert step(grown)[0]["version"] != output["version"]
    assert held_out <= set((outputs / "test.csv").read_text().splitlines())


def test_data_unlike_the_schema_stops_the_step(step):
    with pytest.raises(StepFailed) as caught:
        step(DATA / "crew.csv")
    first, *found, advice = caught.value.message.splitlines()
    assert first == "data/passengers.csv does not match schemas/passengers.yaml:"
    assert any("class: 29 of 29 values (100%) are none of the allowed" in line for line in found)
    assert advice.endswith("where the data is right, edit schemas/passengers.yaml.")


def test_without_a_schema_only_types_are_checked(step):
    output, _ = step(DATA / "crew.csv", schema=None)
    assert output["warnings"][0].startswith("passengers has no schema file, so only the types")
    assert "`loopwright data infer` writes one" in output["warnings"][0]
    assert output["columns"][2] == {"name": "class", "type": "string", "nullable": False, "categories": None}


@pytest.mark.parametrize(("age", "stale"), [(30 * DAY, False), (30 * DAY + 1, True)])
def test_stale_data_stops_the_step(step, age, stale):
    if not stale:
        assert step(fresh_within=30 * DAY, now=age)
        return
    with pytest.raises(
        StepFailed,
        match=r"data/passengers.csv: the data is stale: it changed last 30d1s ago, on 1970-01-01 00:00 UTC, expected within 30d",
    ):
        step(fresh_within=30 * DAY, now=age)


def test_a_schema_without_the_label(step, tmp_path):
    (tmp_path / "schema").write_text(
        "apiVersion: loopwright/v1\nunexpected_columns: ignore\ncolumns: {age: {type: number}}\n"
    )
    with pytest.raises(
        StepFailed, match=r"schemas/passengers.yaml declares no column 'survived', which is the label"
    ):
        step()


def test_a_broken_schema_is_told_with_its_line(step, tmp_path):
    (tmp_path / "schema").write_text("apiVersion: loopwright/v1\ncolumns: {age: {type: float}}\n")
    with pytest.raises(
        SpecError, match=r"schemas/passengers.yaml:2:23: columns.age.type: found the text `float`"
    ):
        step()


def test_columns_that_the_schema_ignores_are_no_inputs(step, tmp_path):
    (tmp_path / "schema").write_text(
        "apiVersion: loopwright/v1\nunexpected_columns: ignore\ncolumns: {age: {type: number}, survived: {type: integer}}\n"
    )
    assert [column["name"] for column in step()[0]["columns"]] == ["age"]


def test_parquet_in_parquet_out(step, tmp_path):
    frame = pd.read_csv(DATA / "passengers.csv")
    frame.loc[3, "age"] = None
    frame.to_parquet(tmp_path / "p.parquet")
    output, outputs = step(tmp_path / "p.parquet", source_name="data/p.parquet", schema=None)
    train, test = (pd.read_parquet(outputs / output[side]) for side in ("train", "test"))
    assert (output["train"], len(train) + len(test)) == ("train.parquet", 439)
    assert train.dtypes.equals(frame.dtypes)
    assert output["columns"][1] == {"name": "age", "type": "number", "nullable": True, "categories": None}


def run_job(folder, **given):
    folder.mkdir()
    told = {
        "name": "p",
        "label": "survived",
        "split": {"test": 0.25, "by": "row"},
        "modified_at": 0,
        "now": 0,
        "schema": None,
    }
    (folder / "input.json").write_text(json.dumps(told | given))
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "loopwright.datasets.job", folder],
        capture_output=True,
        text=True,
        check=False,
    )


def test_as_a_job_it_writes_its_output(tmp_path):
    ended = run_job(tmp_path / "job", source=str(DATA / "passengers.csv"))
    assert (ended.returncode, ended.stderr) == (0, "")
    output = json.loads((tmp_path / "job" / "output.json").read_bytes())
    assert {path.name for path in (tmp_path / "job" / "outputs").iterdir()} == {
        "train.csv",
        "test.csv",
        "baseline.json",
        "profile.json",
    }
    assert output["train_rows"] + output["test_rows"] == 439


def test_as_a_job_it_says_no_in_one_message(tmp_path):
    (tmp_path / "bad.csv").write_text("a,survived\n1,0\n2\n")
    ended = run_job(tmp_path / "job", source=str(tmp_path / "bad.csv"), source_name="data/bad.csv")
    error = json.loads((tmp_path / "job" / "error.json").read_bytes())
    assert (ended.returncode, error["code"]) == (1, "step")
    assert error["message"].startswith(
        "data/bad.csv:3: found 1 value, expected 2 as the header has (a, survived)"
    )
    assert "Traceback" not in ended.stderr


def test_texts_that_mean_missing_are_handed_on(step, tmp_path):
    schema = tmp_path / "schema"
    schema.write_text(
        schema.read_text().replace("  embarked:\n", "  embarked:\n    missing_values: [unknown]\n")
    )
    assert step()[0]["missing_values"] == {"embarked": ["unknown"]}
