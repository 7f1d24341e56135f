import pytest

from loopwright.errors import StepFailed
from loopwright.evaluation.asking import (
    Answer,
    Reading,
    UnusableError,
    of_the_positive,
    read_answer,
    require_probabilities,
)

READING = Reading("prediction", "p", "classification")


@pytest.mark.parametrize("said", ["1", "1.0", '"1"', "true"])
def test_a_usable_answer(said):
    body = f'{{"prediction": {said}, "p": 0.7}}'.encode()
    assert read_answer(200, body, READING) == Answer("1", 0.7)


def test_a_regression_answers_numbers():
    assert read_answer(200, b'{"prediction": 12.5}', Reading("prediction", None, "regression")) == Answer(
        12.5, None
    )


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b'{"prediction": 1, "p": 0.7}', "status 500, expected 2xx"),
        (301, b'{"prediction": 1, "p": 0.7}', "status 301, expected 2xx"),
        (200, b"<html>", "not JSON"),
        (200, b'{"prediction": NaN, "p": 0.7}', "not JSON"),
        (
            200,
            b'{"label": 1, "p": 0.7}',
            r"no `prediction`; it has `label`, `p`; let evaluation.prediction \(`prediction`\)",
        ),
        (200, b'{"prediction": 1}', "no `p`; it has `prediction`; let evaluation.probability"),
        (200, b'{"prediction": null, "p": 0.7}', "the prediction is null, expected one label"),
        (200, b'{"prediction": [1], "p": 0.7}', r"the prediction is \[1\], expected one label"),
        (200, b'{"prediction": 1, "p": 3.2}', "the probability is 3.2, expected a number from 0 to 1"),
        (200, b'{"prediction": 1, "p": [0.3, 0.7]}', "the probability is"),
    ],
)
def test_what_cannot_be_judged(status, body, told):
    with pytest.raises(UnusableError, match=told):
        read_answer(status, body, READING)


@pytest.mark.parametrize("said", ['"high"', "true", "null"])
def test_a_regression_takes_nothing_but_numbers(said):
    with pytest.raises(UnusableError, match="expected a number, as the label is"):
        read_answer(200, f'{{"prediction": {said}}}'.encode(), Reading("prediction", None, "regression"))


ANSWERS = [Answer("9", 0.75), Answer("10", 0.25), Answer("10", 0.5)]  # of texts, whose greater is `9`


@pytest.mark.parametrize(
    ("positive", "probabilities"),
    [("9", [0.75, 0.25, 0.5]), ("10", [0.25, 0.75, 0.5]), (None, [0.75, 0.25, 0.5])],
)
def test_a_probability_of_the_other_label_is_turned_into_that_of_the_positive_one(positive, probabilities):
    assert [answer.probability for answer in of_the_positive(ANSWERS, positive)] == probabilities


def test_without_probabilities_there_is_nothing_to_turn():
    answers = [Answer("9", None)]
    assert of_the_positive(answers, "10") is answers


@pytest.mark.parametrize(("model", "probability"), [("m.joblib", "probability"), (None, None)])
def test_gates_on_probabilities_are_left_to_be_decided(model, probability):
    require_probabilities({"model": model, "probability": probability, "gates": [{"metric": "roc_auc"}]})


def test_gates_on_probabilities_of_a_model_without_any_are_refused_before_it_is_asked():
    gates = [{"metric": "accuracy"}, {"metric": "roc_auc"}, {"metric": "log_loss"}]
    with pytest.raises(
        StepFailed, match=r"gates on roc_auc, log_loss need .* m\.joblib answers without"
    ) as caught:
        require_probabilities({"model": "m.joblib", "probability": None, "gates": gates})
    assert [place.path for place in caught.value.places] == [
        "evaluation.gates.1.metric",
        "evaluation.gates.2.metric",
    ]
