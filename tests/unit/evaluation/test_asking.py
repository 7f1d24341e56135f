import pytest

from loopwright.errors import StepFailed
from loopwright.evaluation.asking import (
    Answer,
    Reading,
    UnusableError,
    of_the_lesser,
    read_answer,
    require_probabilities,
)
from loopwright.evaluation.metrics import Question

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


def test_a_model_gives_the_probability_of_the_greater_label_and_the_lesser_has_the_rest():
    lesser = of_the_lesser([Answer("0", 0.25), Answer("1", None)])
    assert lesser == [Answer("0", 0.75), Answer("1", None)]
    assert Question("classification", ("0", "1"), "0").lesser
    assert not Question("classification", ("0", "1"), "1").lesser
    assert not Question("classification", ("0", "1", "2")).lesser


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
