import pyarrow as pa
import pytest

from loopwright.datasets import profile
from loopwright.datasets.columns import convert
from loopwright.datasets.schema import Schema

TEXT = pa.large_string()


def column(values, kind):
    return convert(pa.array(values, TEXT), kind)


def test_figures_of_numbers():
    figures = profile.describe(column(["1", "2", "3", "2", None], "integer"))
    assert {name: figures[name] for name in ("count", "missing", "distinct", "min", "max", "mean")} == {
        "count": 5, "missing": 1, "distinct": 3, "min": 1, "max": 3, "mean": 2.0,
    }  # fmt: skip
    assert figures["quantiles"]["0.5"] == 2.0
    assert figures["top"][0] == {"value": 2, "count": 2}


def test_figures_of_a_column_without_values():
    assert profile.describe(column([None, None], "number")) == {
        "type": "number",
        "count": 2,
        "missing": 2,
        "distinct": 0,
        "top": [],
    }


@pytest.mark.parametrize(
    ("values", "kind", "declared", "task"),
    [
        (["0", "1"] * 3, "integer", None, "classification"),
        (["0.0", "1.0"] * 3, "number", None, "classification"),
        (["a", "b", "c"], "string", None, "classification"),
        (["true", "false"], "boolean", None, "classification"),
        ([str(n % 5) for n in range(30)], "integer", None, "classification"),
        ([str(n) for n in range(30)], "integer", None, "regression"),
        ([str(n % 5) for n in range(30)], "number", None, "regression"),
        ([str(n) for n in range(30)], "integer", tuple(range(30)), "classification"),
    ],
)
def test_the_task_that_a_label_sets(values, kind, declared, task):
    assert profile.task_of(column(values, kind), declared) == task


def test_a_label_of_classes_has_a_balance_and_one_of_numbers_a_spread():
    assert profile.describe_label("y", column(["0", "1", "1", "1"], "integer"), "classification") == {
        "name": "y", "type": "integer", "balance": {"1": 0.75, "0": 0.25},
    }  # fmt: skip
    assert profile.describe_label("y", column(["1.5", "2.5"], "number"), "regression")["mean"] == 2.0


def test_the_signature_is_of_all_but_the_label():
    rules = {
        "a": {"type": "string", "values": ["x"]},
        "b": {"type": "number", "missing": 0.1},
        "y": {"type": "integer"},
    }
    schema = Schema.model_validate({"apiVersion": "loopwright/v1", "columns": rules})
    columns = {"a": column(["x"], "string"), "b": column(["1"], "number"), "y": column(["1"], "integer")}
    assert profile.signature(schema, columns, "y") == [
        {"name": "a", "type": "string", "nullable": False, "categories": ["x"]},
        {"name": "b", "type": "number", "nullable": True, "categories": None},
    ]


def test_the_example_is_the_first_of_the_rows_that_lacks_nothing():
    columns = {
        "a": column(["x", None, "z" * 300], "string"),
        "b": column(["1", "2", "3"], "integer"),
        "y": column(["0"] * 3, "integer"),
    }
    assert profile.example(columns, "y", [False, True, True]) == {"a": "z" * 300, "b": 3}
    assert profile.example(columns, "y", [False, True, False]) == {"a": None, "b": 2}
