import pytest

from loopwright.datasets.schema import load
from loopwright.errors import SpecError

HEAD = "apiVersion: loopwright/v1\ncolumns:\n"


def loading(tmp_path, text):
    (tmp_path / "content").write_text(text)
    return load(tmp_path / "content", "schemas/p.yaml")


def test_a_column_may_hold_anything_of_its_type_but_nothing_missing(tmp_path):
    schema = loading(tmp_path, HEAD + "  a: {type: number}\n")
    rule = schema.columns["a"]
    assert (rule.missing, rule.min, rule.values, rule.unique, rule.balance) == (0.0, None, None, False, None)
    assert (schema.min_rows, schema.duplicates, schema.unexpected_columns) == (None, None, "refuse")


def test_shares_limits_and_values_are_read_as_they_are_meant(tmp_path):
    text = (
        HEAD
        + "  a: {type: integer, missing: 5%, min: 0, max: 9, values: [0, 1], balance: {min_share: 10%}}\n"
    )
    rule = loading(tmp_path, text).columns["a"]
    assert (rule.missing, rule.min, rule.max, rule.values, rule.balance.min_share) == (
        0.05,
        0,
        9,
        (0, 1),
        0.1,
    )


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("{type: integr}", r"p.yaml:3:13: columns.a.type: found the text `integr`.* Did you mean `integer`"),
        (
            "{type: string, vals: [x]}",
            r"columns.a.vals: found the unknown field `vals`.* Did you mean `values`",
        ),
        ("{type: number, missing: 5}", r"columns.a.missing: found `5`, expected a share.* Did you mean `5%`"),
        ("{type: number, min: 5, max: 1}", r"columns.a.max: found `1`, expected at least `min`, which is 5"),
        ("{type: number, min: low}", r"columns.a.min: found the text `low`, expected a number"),
        ("{type: string, min: 1}", r"columns.a.min: found `1`, expected no `min` in a column of type string"),
        (
            "{type: string, values: [x, 1]}",
            r"columns.a.values.1: found `1`, expected a value of type string. Write \"1\" in quotes",
        ),
        (
            "{type: integer, values: [1, 1.5]}",
            r"columns.a.values.1: found `1.5`, expected a value of type integer",
        ),
        (
            "{type: integer, values: [true]}",
            r"columns.a.values.0: found `true`, expected a value of type integer",
        ),
        ("{type: string, values: []}", r"columns.a.values: found an empty list, expected at least one value"),
        (
            "{type: string, values: [[x]]}",
            r"columns.a.values.0: found a list, expected a text, a number, true or false",
        ),
        (
            "{type: string, balance: {min_share: 0%}}",
            r"columns.a.balance.min_share: found .*expected a share above 0%",
        ),
    ],
)
def test_every_mistake_is_told_with_its_place(tmp_path, rules, told):
    with pytest.raises(SpecError, match=told):
        loading(tmp_path, f"{HEAD}  a: {rules}\n")


def test_all_mistakes_are_told_at_once(tmp_path):
    with pytest.raises(SpecError) as caught:
        loading(tmp_path, "min_rows: 0\ncolumns: {a: {type: text}}\n")
    assert [problem.path for problem in caught.value.problems] == ["apiVersion", "min_rows", "columns.a.type"]
