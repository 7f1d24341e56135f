import re

import pytest

from loopwright.errors import Place, StepFailed
from loopwright.evaluation import metrics
from loopwright.evaluation.asking import Answer
from loopwright.evaluation.judging import Slicing, doubts, judged, labels, question, require_labels
from loopwright.spec.gates import LESS_IS_BETTER, REGRESSION


def test_classes_and_the_greater_as_positive():
    asked = question("classification", "survived", ["1", 0, None, True], None)
    assert (asked.classes, asked.positive) == (("0", "1"), "1")


@pytest.mark.parametrize("positive", [0, "0", False, 0.0])
def test_positive_in_any_writing(positive):
    assert question("classification", "survived", ["1", "0"], positive).positive == "0"


@pytest.mark.parametrize(("values", "positive"), [(["1", "0"], "yes"), (["a", "b", "c"], "a")])
def test_a_positive_that_cannot_be_is_refused(values, positive):
    with pytest.raises(
        StepFailed, match=f"evaluation.positive is {positive}, expected one of the label's two classes"
    ):
        question("classification", "survived", values, positive)


def test_labels_of_a_regression_are_numbers():
    assert labels(["1.5", 2], "regression", "fare") == [1.5, 2.0]
    with pytest.raises(StepFailed, match="The label `fare` has 'cheap', expected numbers only"):
        labels(["1.5", "cheap"], "regression", "fare")


def test_labels_match_answers_of_other_types():
    asked = question("classification", "survived", ["1", "0"], None)
    rows = judged(labels(["1", "0", "1.0"], "classification", "survived"), [Answer("1", None)] * 3)
    assert metrics.measure(rows, asked).values["accuracy"] == pytest.approx(2 / 3)


def test_answers_that_are_never_a_label_are_the_scripts_and_not_the_models():
    asked = question("classification", "left", ["no", "yes"], None)
    rows = judged(["no", "yes"], [Answer("0", None), Answer("1", None)])
    told = "score.py answers 0 and 1 (whole numbers), the label `left` has 'no' and 'yes'."
    with pytest.raises(StepFailed, match=re.escape(told)) as failure:
        require_labels(rows, asked, "left", "score.py")
    assert list(failure.value.places) == [Place(file="score.py")]
    require_labels(judged(["no", "no"], [Answer("yes", None)] * 2), asked, "left", "score.py")
    require_labels(judged([1.0], [Answer(2.0, None)]), question("regression", "y", [1.0], None), "y", "s.py")


@pytest.mark.parametrize(
    ("truth", "said", "told"),
    [
        (
            ["0", "1", "0"],
            ["0", "0", "0"],
            "score.py answers 0 for all 3 held-out rows, 1 of them with another label: ",
        ),
        (["0", "1"], ["1", "0"], ""),
        (["0", "0"], ["0", "0"], ""),
        (["0", "1"], ["2", "2"], "score.py answers 2 for all 2 held-out rows, none has that label: "),
    ],
)
def test_a_classifier_that_tells_no_row_from_another_is_doubted(truth, said, told):
    asked = question("classification", "y", ["0", "1", "2"], None)
    found = doubts(judged(truth, [Answer(one, None) for one in said]), asked, "score.py")
    assert "".join(found).startswith(told)
    assert bool(found) == bool(told)


def test_slices_are_measured_apart():
    slicing = Slicing({"gender": ["m", "f", "m"]})
    rows = judged(["1", "1", "0"], [Answer("1", None), Answer("0", None), Answer("0", None)])
    side = slicing.side(rows, question("classification", "y", ["0", "1"], None))
    assert {name: m.values["accuracy"] for name, m in side.slices["gender"].items()} == {"f": 0.0, "m": 1.0}
    assert slicing.take([2, 1]).columns == {"gender": ["m", "f"]}


def test_what_gates_mean_is_the_same_in_the_spec():
    assert metrics.LESS_IS_BETTER == LESS_IS_BETTER
    assert set(metrics.REGRESSION) == REGRESSION
