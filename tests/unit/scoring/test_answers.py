"""A script's answers as a table."""

from __future__ import annotations

from typing import Any

import pytest

from loopwright.scoring.answers import Answers
from loopwright.scoring.refusals import Failed


@pytest.mark.parametrize(
    ("answer", "names", "columns"),
    [
        ([1, 2], ("prediction",), [[1, 2]]),
        ({"predictions": [1, 2]}, ("prediction",), [[1, 2]]),
        ([{"a": 1}, {"a": 2, "b": 3}], ("a", "b"), [[1, 2], [None, 3]]),
    ],
)
def test_what_a_script_answers_becomes_columns(answer: Any, names: Any, columns: Any) -> None:
    answers = Answers.of_script(answer, 2)
    assert (answers.names, answers.columns) == (names, columns)


def test_an_answer_for_each_row_is_expected() -> None:
    with pytest.raises(Failed) as caught:
        Answers.of_script([1], 2)
    assert "2 rows" in caught.value.reason


def test_records_are_the_rows_again() -> None:
    assert Answers(("a", "b"), [[1, 2], [3, 4]]).records() == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]


def test_one_row_is_answered_by_an_object_under_its_own_names() -> None:
    assert Answers.of_script({"probability": 0.5}, 1) == Answers(("probability",), [[0.5]])
    assert Answers.of_script({"predictions": [7]}, 1) == Answers(("prediction",), [[7]])
    assert Answers.of_script(0.5, 1) == Answers(("prediction",), [[0.5]])
