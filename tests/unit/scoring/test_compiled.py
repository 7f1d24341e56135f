"""A compiled model's plan, as the front runs it."""

import json
import math

import msgspec
import pytest

from loopwright.errors import MachineError, UsageError
from loopwright.scoring import compiled
from loopwright.scoring.refusals import InvalidInput

PLAN = {
    "inputs": ["port", "age"],
    "outputs": [{"name": "prediction", "type": "integer"}, {"name": "probability", "type": "number"}],
    "width": 3,
    "blocks": [
        {
            "type": "table", "input": 0, "keys": ["S", "C"], "values": [[1.0, 0.0], [0.0, 1.0]],
            "missing": [1.0, 0.0], "unknown": None, "at": [0, 1],
        },
        {
            "type": "numbers", "inputs": [1], "at": [2],
            "steps": [{"op": "fill", "values": [30.0]}, {"op": "subtract", "values": [30.0]}, {"op": "divide", "values": [10.0]}],
        },
    ],
    "head": {"type": "linear", "coefficients": [[1.0, -1.0, 2.0]], "intercepts": [0.5]},
    "decision": {"link": "logistic", "rule": "above", "of": "scores", "limit": 0.0, "classes": [0, 1], "names": ["0", "1"]},
}  # fmt: skip


def made(tmp_path, **more):
    (tmp_path / "plan.json").write_text(json.dumps(PLAN | more))
    return compiled.load(tmp_path)


def logistic(score):
    return 1 / (1 + math.exp(-score))


def test_rows_become_labels_and_probabilities(tmp_path):
    answers = made(tmp_path).score([("S", 40.0), ("C", 10.0), (None, None)])
    assert answers == [[1, 0, 1], [logistic(3.5), logistic(-4.5), logistic(1.5)]]
    assert [type(value) for value in answers[0]] == [int, int, int]


def test_an_unknown_category_is_refused_with_its_field_row_and_value(tmp_path):
    with pytest.raises(
        InvalidInput, match=r"Row 1: field 'port' is 'Q', expected a value that the model has seen"
    ):
        made(tmp_path).score([("S", 1.0), ("Q", 1.0)])


def test_the_far_ends_of_scores_are_zero_and_one_without_a_warning(tmp_path):
    assert made(tmp_path).score([("S", 1e9), ("C", -1e9)])[1] == [1.0, pytest.approx(0, abs=1e-300)]


def test_many_classes_have_an_object_of_probabilities(tmp_path):
    model = made(
        tmp_path,
        outputs=[{"name": "prediction", "type": "string"}, {"name": "probabilities", "type": "object"}],
        head={"type": "linear", "coefficients": [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, -1.0]], "intercepts": [0.0] * 3},
        decision={"link": "softmax", "rule": "most", "classes": ["a", "b", "c"], "names": ["a", "b", "c"]},
    )  # fmt: skip
    (prediction,), (probabilities,) = model.score([("S", 40.0)])
    assert prediction == "a"
    assert list(probabilities) == ["a", "b", "c"]
    assert sum(probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize(("link", "expected"), [("none", 3.5), ("exp", math.exp(3.5))])
def test_a_regression_answers_with_one_number(tmp_path, link, expected):
    model = made(tmp_path, outputs=PLAN["outputs"][:1], decision={"link": link})
    assert model.score([("S", 40.0)]) == [[expected]]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"op": "atmost", "values": [1.0, 1.0, 0.5]}, [1.0, 0.0, 0.5]),
        ({"op": "atleast", "values": [2.0, 2.0, 2.0]}, [2.0, 2.0, 2.0]),
        ({"op": "multiply", "values": [1.0, 1.0, 3.0]}, [1.0, 0.0, 3.0]),
        ({"op": "add", "values": [0.0, 5.0, 0.0]}, [1.0, 5.0, 1.0]),
        ({"op": "take", "at": [2, 0, 0]}, [1.0, 1.0, 1.0]),
        ({"op": "indicate", "at": [1]}, [1.0, 0.0, 1.0, 0.0]),
        ({"op": "product", "by": [[1.0, 2.0], [0.0, 0.0], [1.0, 1.0]]}, [2.0, 3.0]),
    ],
)
def test_each_step_does_what_its_name_says(tmp_path, step, expected):
    for at in range(len(expected)):
        row = [float(at == number) for number in range(len(expected))]
        model = made(
            tmp_path, steps=[step], outputs=PLAN["outputs"][:1], decision={"link": "none"},
            head={"type": "linear", "coefficients": [row], "intercepts": [0.0]},
        )  # fmt: skip
        assert model.score([("S", 40.0)]) == [[expected[at]]]


def test_zeros_are_missing_where_a_sparse_matrix_did_not_hold_them(tmp_path):
    model = made(tmp_path, steps=[{"op": "unset"}], outputs=PLAN["outputs"][:1], decision={"link": "none"})
    assert math.isnan(model.score([("S", 40.0)])[0][0])


def test_a_plan_that_is_not_there_or_not_one_is_refused(tmp_path):
    with pytest.raises(MachineError, match="Package the workload again"):
        compiled.load(tmp_path)
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode(PLAN | {"format": 2}))
    with pytest.raises(UsageError, match="not a plan that this version reads"):
        compiled.load(tmp_path)
