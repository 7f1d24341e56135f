"""The bodies of MLflow's scoring server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loopwright.scoring.answers import Answers
from loopwright.scoring.protocols import mlflow
from loopwright.scoring.refusals import InvalidInput, NotJson
from loopwright.scoring.settings import Input

INPUTS = (Input(name="age", type="integer"), Input(name="port", type="string"))
COLUMNS = {"age": [1, 2], "port": ["S", None]}
RECORDS = [{"age": 1, "port": "S"}, {"age": 2, "port": None}]
MATRIX = [[1, "S"], [2, None]]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"dataframe_split": {"index": [7, 8], "columns": ["port", "age"], "data": [["S", 1], [None, 2]]}}, COLUMNS),
        ({"dataframe_records": RECORDS, "params": {}}, RECORDS),
        ({"instances": RECORDS}, RECORDS),
        ({"instances": MATRIX, "params": None}, COLUMNS),
        ({"inputs": COLUMNS}, COLUMNS),
        ({"inputs": {"age": [[1], [2]], "port": ["S", None]}}, COLUMNS),
        ({"inputs": {"age": 1, "port": "S"}}, {"age": [1], "port": ["S"]}),
        ({"inputs": MATRIX}, COLUMNS),
        ({"inputs": []}, {"age": [], "port": []}),
        ({"dataframe_split": {"columns": ["age"], "data": []}}, {"age": []}),
    ],
)  # fmt: skip
def test_all_forms_are_read(body: Any, found: Any) -> None:
    assert mlflow.decode(json.dumps(body).encode(), INPUTS) == found


def test_the_values_of_a_model_with_one_input_may_stand_alone() -> None:
    assert mlflow.decode(b'{"inputs":[1,2]}', INPUTS[:1]) == {"age": [1, 2]}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "The body is with nothing, expected an object with one of dataframe_split"),
        ({"data": []}, "The body is with data"),
        ({"inputs": [], "instances": []}, "The body is with instances and inputs"),
        ({"inputs": [], "more": 1}, "field 'more' is beside 'inputs'"),
        ({"inputs": [], "params": {"a": 1}}, "field 'params' is given, expected none"),
        ({"inputs": 3}, "field 'inputs' is a number, expected a list of rows, or an object of columns"),
        ({"inputs": {"age": [1], "port": "S"}}, "field 'inputs.port' is a string, expected a list"),
        ({"inputs": {"age": [1], "port": []}}, "field 'inputs.port' is 0 rows, expected 1"),
        ({"instances": [[1, "S"], [2]]}, "Row 1: field 'instances' is 1 values, expected 2: age, port"),
        ({"instances": [{"age": 1}, 5]}, "Row 1: field 'instances' is a number"),
        ({"dataframe_records": {"age": 1}}, "field 'dataframe_records' is an object, expected a list of objects"),
        ({"dataframe_split": []}, "field 'dataframe_split' is a list"),
        ({"dataframe_split": {"columns": [1], "data": []}}, "field 'dataframe_split.columns' is a list, expected a list of names"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": []}}, "with a name twice"),
    ],
)  # fmt: skip
def test_what_is_in_no_form_is_refused_in_a_sentence(body: Any, sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        mlflow.decode(json.dumps(body).encode(), INPUTS)
    assert sentence in refused.value.message


def test_nan_as_python_writes_it_is_a_missing_value() -> None:
    assert mlflow.decode(b'{"inputs":{"age":[1,NaN]}}', INPUTS) == {"age": [1, None]}
    with pytest.raises(NotJson, match="JSON"):
        mlflow.decode(b'{"inputs":{"age":[1,NaN]}', INPUTS)
    with pytest.raises(InvalidInput, match="a list"):
        mlflow.decode(b'{"dataframe_split":[NaN, Infinity]}', INPUTS)


def test_a_list_or_text_is_no_body() -> None:
    with pytest.raises(InvalidInput, match="of type array, expected object"):
        mlflow.decode(b"[]", INPUTS)
    with pytest.raises(NotJson, match="line 1, column 2"):
        mlflow.decode(b"{'", INPUTS)


def test_one_output_is_answered_by_its_values_and_several_by_objects() -> None:
    one, two = Answers(("p",), [[1, 0]]), Answers(("prediction", "probability"), [[1, 0], [0.75, 0.25]])
    assert json.loads(mlflow.encode(one)) == {"predictions": [1, 0]}
    assert json.loads(mlflow.encode(two))["predictions"][1] == {"prediction": 0, "probability": 0.25}
