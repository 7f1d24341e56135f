from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from loopwright.datasets import infer
from loopwright.datasets.reading import read
from loopwright.datasets.schema import load
from loopwright.datasets.validation import validate
from loopwright.errors import StepFailed
from loopwright.observations.rows import row_hashes

DATA = Path(__file__).parents[2] / "data"
PASSENGERS = DATA / "passengers.csv"


def inferred(tmp_path, source, label="y"):
    """The inferred schema, and what it says of the data that it was made from."""
    (tmp_path / "schema.yaml").write_text(infer(source, label), encoding="utf-8")
    schema = load(tmp_path / "schema.yaml", "schema.yaml")
    raw = read(source, str(source))
    return schema, validate(raw, schema, label, pd.Series(row_hashes(raw.frame())).duplicated().to_numpy())


def written(tmp_path, **columns):
    path = tmp_path / "x.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_data_holds_to_the_schema_made_from_it(tmp_path):
    schema, verdict = inferred(tmp_path, PASSENGERS, "survived")
    assert (verdict.failures, verdict.warnings) == ((), ())
    assert {name: rule.type for name, rule in schema.columns.items()} == {
        "gender": "string", "age": "number", "class": "string", "embarked": "string",
        "fare": "number", "sibsp": "integer", "parch": "integer", "survived": "integer",
    }  # fmt: skip
    assert schema.columns["class"].values == ("1st", "2nd", "3rd")
    assert (schema.columns["age"].min, schema.columns["survived"].values) == (0, (0, 1))


def test_the_crew_does_not_hold_to_the_passengers_schema(tmp_path):
    schema, _ = inferred(tmp_path, PASSENGERS, "survived")
    crew = read(DATA / "crew.csv", "crew.csv")
    failures = validate(crew, schema, "survived", np.zeros(crew.rows, dtype=bool)).failures
    assert any(
        failure.startswith("class: 29 of 29 values (100%) are none of the allowed '1st', '2nd', '3rd'")
        for failure in failures
    )
    assert any(failure.startswith("the file has 29 rows") for failure in failures)


def test_comments_say_what_was_seen():
    text = infer(PASSENGERS, "survived", "data/passengers.csv")
    assert text.startswith(
        "# What data/passengers.csv must look like. Made by `loopwright data infer` from 439 rows"
    )
    assert "    max: 640  # 512.0607 seen" in text
    assert (
        "  survived:  # the label\n    type: integer\n    values: [0, 1]\n    balance: {min_share: " in text
    )


def test_limits_have_slack_and_do_not_cross_zero(tmp_path):
    y = [0, 1] * 10
    source = written(
        tmp_path,
        a=np.linspace(0.5, 100, 20),
        b=np.linspace(-3, -1, 20),
        c=np.linspace(1000, 1100, 20),
        d=[7] * 20,
        y=y,
    )
    columns = inferred(tmp_path, source)[0].columns
    assert [(columns[name].min, columns[name].max) for name in "abcd"] == [
        (0, 130),
        (-3.5, -0.5),
        (970, 1200),
        (5.2, 8.8),
    ]


def test_keys_gaps_and_repeated_rows_are_found(tmp_path):
    source = written(
        tmp_path, key=[f"{n:03}" for n in range(30)], gap=[None] * 3 + [1.5, 2.5, 3.5] * 9, y=[0, 1] * 15
    )
    schema, verdict = inferred(tmp_path, source)
    assert (schema.columns["key"].type, schema.columns["key"].unique, schema.columns["key"].values) == (
        "string",
        True,
        None,
    )
    assert (schema.columns["gap"].missing, schema.duplicates, verdict.failures) == (0.15, 0.0, ())


def test_a_label_of_numbers_gets_limits(tmp_path):
    rule = inferred(tmp_path, written(tmp_path, a=range(40), y=np.linspace(10, 20, 40)))[0].columns["y"]
    assert (rule.values, rule.balance, rule.min, rule.max) == (None, None, 7.5, 23)


def test_marks_and_errors_among_numbers_are_shown(tmp_path):
    source = written(tmp_path, a=["NA", *range(19)], b=["oops", *range(19)], y=[0, 1] * 10)
    schema, verdict = inferred(tmp_path, source)
    assert (schema.columns["a"].missing_values, schema.columns["a"].missing) == (("NA",), 0.08)
    assert verdict.failures == ("b: 1 of 20 values (5%) is not a whole number: line 2 'oops'",)
    assert "# but 1 value cannot be read so: line 2 'oops'. Correct them, or write string" in infer(
        source, "y"
    )


def test_marks_in_a_column_of_text_are_only_pointed_out(tmp_path):
    text = infer(written(tmp_path, country=["NA", "DE"] * 10, y=[0, 1] * 10), "y")
    assert "values: [DE, NA]\n    # missing_values: [NA]  # if these mean that there is no value" in text


def test_a_file_without_the_label_is_refused():
    with pytest.raises(StepFailed, match="no column 'died'"):
        infer(PASSENGERS, "died")


AWKWARD = (
    "no", "null", "1e5", "0o7", "2024-01-01", "a: b", "#x", "- x", "{", "é ß", " x", "'", '"', "true", "~", "=", "1:30", "a\\b", "x\ty", "a\u2028b", "😀",
)  # fmt: skip


def test_any_text_is_written_so_that_it_reads_back(tmp_path):
    source = written(tmp_path, **dict.fromkeys(AWKWARD, AWKWARD * 6), y=[0, 1] * 63)
    schema, verdict = inferred(tmp_path, source)
    assert verdict.failures == ()
    assert list(schema.columns) == [*AWKWARD, "y"]
    assert set(schema.columns["no"].values) == set(AWKWARD)
