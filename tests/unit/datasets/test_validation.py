import numpy as np
import pandas as pd
import pytest

from loopwright.datasets.reading import read
from loopwright.datasets.schema import Schema
from loopwright.datasets.validation import implied, require_label, validate
from loopwright.errors import StepFailed
from loopwright.observations.rows import row_hashes


@pytest.fixture
def raw(tmp_path):
    def write(text):
        (tmp_path / "x").write_text(text)
        return read(tmp_path / "x", "x.csv")

    return write


def checked(raw, label="y", **declared):
    columns = declared.pop("columns", {name: {"type": "string", "missing": 1} for name in raw.columns})
    schema = Schema.model_validate({"apiVersion": "loopwright/v1", "columns": columns, **declared})
    return validate(raw, schema, label, pd.Series(row_hashes(raw.frame())).duplicated().to_numpy())


def failures(raw, rule, values, others="01"):
    """What is wrong with a column `a` of these values under a rule; `y` is a sound label."""
    lines = [f"{value},{others[number % 2]}" for number, value in enumerate(values)]
    table = raw("a,y\n" + "\n".join(lines) + "\n")
    return checked(table, columns={"a": rule, "y": {"type": "integer"}}).failures


@pytest.mark.parametrize(
    ("rule", "values", "told"),
    [
        (
            {"type": "number"},
            ["1", "abc", "2", "?"],
            "a: 2 of 4 values (50%) are not numbers: line 3 'abc', line 5 '?'",
        ),
        ({"type": "integer"}, ["1", "1.5"], "a: 1 of 2 values (50%) is not a whole number: line 3 '1.5'"),
        (
            {"type": "boolean"},
            ["1", "0"],
            "a: 2 of 2 values (100%) are not true or false (for 0 and 1, declare type: integer): line 2 '1', line 3 '0'",
        ),
        ({"type": "number"}, ["1", "", ""], "a: 2 of 3 values (66.7%) are missing: lines 3, 4"),
        (
            {"type": "number", "missing": 0.5},
            ["1", "", ""],
            "a: 2 of 3 values (66.7%) are missing, at most 50% may be: lines 3, 4",
        ),
        (
            {"type": "number", "min": 0, "max": 9},
            ["1", "-1", "9.5"],
            "a: 2 of 3 values (66.7%) are not at least 0 and at most 9: line 3 '-1', line 4 '9.5'",
        ),
        ({"type": "integer", "max": 5}, ["5", "6"], "a: 1 of 2 values (50%) is not at most 5: line 3 '6'"),
        (
            {"type": "string", "values": ["x", "y"]},
            ["x", "X", "z", "X"],
            "a: 3 of 4 values (75%) are none of the allowed 'x', 'y': 'X' (2 times, first in line 3), 'z' (1 time, first in line 4)",
        ),
        (
            {"type": "string", "unique": True},
            ["x", "y", "x"],
            "a: 2 of 3 values (66.7%) are not unique: line 2 'x', line 4 'x'",
        ),
        (
            {"type": "string", "values": ["x", "y"], "balance": {"min_share": 0.3}},
            ["x"] * 4 + ["y"],
            "a: out of balance, each value should be at least 30% of the rows: 'y' is 20%",
        ),
        (
            {"type": "string", "balance": {"min_share": 0.3}},
            ["x"] * 4 + ["y"],
            "a: out of balance, each value should be at least 30% of the rows: 'y' is 20%",
        ),
    ],
)
def test_what_is_wrong_with_a_column(raw, rule, values, told):
    assert failures(raw, rule, values) == (told,)


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ({"type": "number", "missing": 0.5}, ["1", ""]),
        ({"type": "number", "min": 0, "max": 9}, ["0", "9"]),
        ({"type": "number", "missing": 1, "min": 0, "values": [1, 2]}, ["", "1.0", "2"]),
        ({"type": "boolean", "values": [True]}, ["true", "TRUE"]),
        ({"type": "string", "missing": 1, "unique": True}, ["x", "", ""]),
        ({"type": "number", "missing": 0.5, "missing_values": ["NA"]}, ["1", "NA"]),
        ({"type": "string", "values": ["x", "y"], "balance": {"min_share": 0.2}}, ["x"] * 4 + ["y"]),
    ],
)
def test_what_is_allowed(raw, rule, values):
    assert failures(raw, rule, values) == ()


def test_a_value_that_cannot_be_read_is_not_also_missing_or_out_of_range(raw):
    told = failures(raw, {"type": "number", "min": 0, "values": [1]}, ["1", "x"])
    assert told == ("a: 1 of 2 values (50%) is not a number: line 3 'x'",)


def test_five_examples_at_most(raw):
    assert failures(raw, {"type": "number", "max": 0}, ["1"] * 7)[0].endswith("line 6 '1' and more")


def test_everything_is_told_at_once(raw):
    table = raw("Age,b,y\n1,x,0\nq,,1\n")
    verdict = checked(
        table,
        columns={"age": {"type": "number"}, "b": {"type": "string"}, "y": {"type": "integer", "max": 0}},
        min_rows=10,
    )
    assert sorted(verdict.failures) == [
        "Age: the column is not in the schema; is it 'age'?",
        "age: the column is missing; is it 'Age'?",
        "b: 1 of 2 values (50%) is missing: line 3",
        "the file has 2 rows, expected at least 10 (min_rows)",
        "y: 1 of 2 values (50%) is not at most 0: line 3 '1'",
    ]
    assert sorted(verdict.places) == [
        "columns.age",
        "columns.b.missing",
        "columns.y.max",
        "min_rows",
        "unexpected_columns",
    ]


def test_unexpected_columns_may_be_ignored(raw):
    table = raw("extra,y\n1,0\n2,1\n")
    assert checked(table, columns={"y": {"type": "integer"}}, unexpected_columns="ignore").failures == ()


def test_repeated_rows_are_warned_of_unless_the_schema_speaks_of_them(raw):
    table = raw("a,y\n1,0\n2,1\n1,0\n1.0,0\n")
    told = "2 of 4 rows (50%) repeat an earlier row"
    assert [warning.startswith(f"{told}: lines 4, 5.") for warning in checked(table).warnings] == [True]
    assert checked(table, duplicates=0.4).failures == (f"{told}, at most 40% may: lines 4, 5",)
    allowed = checked(table, duplicates=0.5)
    assert (allowed.failures, allowed.warnings) == ((), ())


def test_a_label_is_never_missing_and_has_more_than_one_value(raw):
    table = raw("a,y\n1,0\n2,\n3,0\n")
    verdict = checked(table, columns={"a": {"type": "number"}, "y": {"type": "integer", "missing": 0.9}})
    assert verdict.failures[0].startswith("y: 1 of 3 values (33.3%) is missing")
    assert verdict.failures[1] == "y: the label has only the value 0, so there is nothing to learn"


def test_a_file_without_the_label_is_refused(raw):
    with pytest.raises(
        StepFailed, match=r"x.csv: there is no column 'z', which `label` names; the columns are 'a', 'y'\."
    ):
        require_label(raw("a,y\n1,0\n"), "z")


def test_without_a_schema_most_values_say_what_a_column_is(raw):
    lines = [f"{number},{number % 2}" for number in range(20)]
    table = raw("a,y\n" + "\n".join([*lines, "oops,1"]) + "\n")
    schema, warnings = implied(table, "y")
    verdict = validate(table, schema, "y", np.zeros(21, dtype=bool))
    assert verdict.failures == ("a: 1 of 21 values (4.76%) is not a whole number: line 22 'oops'",)
    assert warnings == ()


def test_without_a_schema_marks_among_numbers_are_missing_and_told(raw):
    table = raw(
        "a,b,y\n"
        + "\n".join(f"{'NA' if number == 7 else number},,{number % 2}" for number in range(20))
        + "\n"
    )
    schema, warnings = implied(table, "y")
    assert validate(table, schema, "y", np.zeros(20, dtype=bool)).failures == ()
    assert warnings == (
        "a: 'NA' among numbers was taken for a missing value.",
        "b: the column has no values at all.",
    )


def test_rows_of_a_parquet_file_are_named_by_number(tmp_path):
    pd.DataFrame({"a": [1.0, None, -1.0], "y": [0, 1, 0]}).to_parquet(tmp_path / "x.parquet")
    table = read(tmp_path / "x.parquet", "x.parquet")
    told = checked(table, columns={"a": {"type": "number", "min": 0}, "y": {"type": "integer"}}).failures
    assert told == (
        "a: 1 of 3 values (33.3%) is missing: row 2",
        "a: 1 of 3 values (33.3%) is not at least 0: row 3 -1.0",
    )
