import json

import pandas as pd
import pytest

from loopwright.errors import StepFailed
from loopwright.evaluation.rows import read, requests, values

CSV = """name,age,siblings,zip,paid
"Owen, Mr",22,1,007,true
Anna,,2.0,NA,FALSE
,0.5,NA,12,
"""
INPUTS = [
    {"name": "name", "type": "string"},
    {"name": "age", "type": "number"},
    {"name": "siblings", "type": "integer"},
    {"name": "zip", "type": "string"},
    {"name": "paid", "type": "boolean"},
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "test.csv"
    path.write_text(CSV)
    return path


def test_rows_have_the_types_of_the_signature(file):
    assert requests(read(file), INPUTS) == [
        {"name": "Owen, Mr", "age": 22.0, "siblings": 1, "zip": "007", "paid": True},
        {"name": "Anna", "age": None, "siblings": 2, "zip": "NA", "paid": False},
        {"name": None, "age": 0.5, "siblings": None, "zip": "12", "paid": None},
    ]


def test_integers_are_integers_in_json_also_beside_gaps(file):
    assert json.dumps([row["siblings"] for row in requests(read(file), INPUTS)]) == "[1, 2, null]"


def test_declared_marks_are_missing(file):
    assert [row["zip"] for row in requests(read(file, {"zip": ["NA"]}), INPUTS)] == ["007", None, "12"]


def test_parquet_gives_the_same_rows(file, tmp_path):
    frame = pd.DataFrame(
        {
            "name": ["a", None],
            "age": [22.0, None],
            "siblings": [1, 2],
            "zip": ["007", "NA"],
            "paid": [True, False],
        }
    )
    frame.to_parquet(tmp_path / "test.parquet")
    rows = requests(read(tmp_path / "test.parquet"), INPUTS)
    assert rows[0] == {"name": "a", "age": 22.0, "siblings": 1, "zip": "007", "paid": True}
    assert rows[1] == {"name": None, "age": None, "siblings": 2, "zip": "NA", "paid": False}
    assert json.dumps(rows)


def test_large_integers_keep_their_digits():
    assert values(pd.Series(["9007199254740993", None]), "integer") == [9007199254740993, None]


def test_what_does_not_fit_its_type_is_sent_as_it_is():
    assert values(pd.Series(["many", "2.5", "1e400"]), "integer") == ["many", 2.5, "1e400"]
    assert values(pd.Series([float("inf"), 1.0]), "number") == ["inf", 1.0]
    assert values(pd.Series(["yes"]), "boolean") == ["yes"]


def test_an_input_that_the_data_lacks_is_named(file):
    with pytest.raises(
        StepFailed, match="has no cabin, expected every input of the package; it has name, age"
    ):
        requests(read(file), [{"name": "cabin", "type": "string"}])


@pytest.mark.parametrize("content", [b"", b"PAR1 nothing"])
def test_a_file_that_cannot_be_read(tmp_path, content):
    path = tmp_path / "test.parquet"
    path.write_bytes(content)
    with pytest.raises(StepFailed, match=r"The data file test.parquet cannot be read"):
        read(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(StepFailed, match=r"test.csv cannot be read"):
        read(tmp_path / "test.csv")
