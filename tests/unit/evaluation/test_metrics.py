"""Expected values are worked out by hand from the counts in the comments."""

import math

import pytest

from loopwright.evaluation.metrics import Judged, Question, measure, positive_of

BINARY = Question("classification", ("0", "1"), "1")
# TP 3, FN 1, FP 2, TN 4
LABELS = ["1"] * 4 + ["0"] * 6
SAID = ["1", "1", "1", "0", "1", "1", "0", "0", "0", "0"]


def test_binary_counts():
    metrics = measure(Judged(LABELS, SAID), BINARY)
    assert metrics.values["accuracy"] == pytest.approx(7 / 10)
    assert metrics.values["precision"] == pytest.approx(3 / 5)
    assert metrics.values["recall"] == pytest.approx(3 / 4)
    assert metrics.values["f1"] == pytest.approx(2 * 3 / (2 * 3 + 2 + 1))
    assert metrics.confusion == {"0": {"0": 4, "1": 2}, "1": {"0": 1, "1": 3}}


def test_the_positive_label_decides():
    metrics = measure(Judged(LABELS, SAID), Question("classification", ("0", "1"), "0"))
    assert metrics.values["precision"] == pytest.approx(4 / 5)
    assert metrics.values["recall"] == pytest.approx(4 / 6)


def test_probabilities():
    # Of the 2 x 2 pairs of a positive and a negative, 3 are in order: 0.9 > 0.4, 0.9 > 0.2, 0.3 > 0.2.
    metrics = measure(Judged(["1", "0", "1", "0"], ["1", "0", "0", "0"], [0.9, 0.4, 0.3, 0.2]), BINARY)
    assert metrics.values["roc_auc"] == pytest.approx(3 / 4)
    by_hand = -(math.log(0.9) + math.log(0.6) + math.log(0.3) + math.log(0.8)) / 4
    assert metrics.values["log_loss"] == pytest.approx(by_hand)


def test_without_probabilities_the_reason_is_told():
    metrics = measure(Judged(LABELS, SAID), BINARY)
    assert metrics.values["roc_auc"] is None
    assert "evaluation.probability" in metrics.undecided["roc_auc"]


def test_more_classes_are_macro_averages():
    # a: 2 of 2 found, predicted 3 times; b: 1 of 2 found, predicted once; c: 0 of 1 found, predicted once
    judged = Judged(["a", "a", "b", "b", "c"], ["a", "a", "a", "b", "d"], None)
    metrics = measure(judged, Question("classification", ("a", "b", "c")))
    assert metrics.values["accuracy"] == pytest.approx(3 / 5)
    assert metrics.values["precision"] == pytest.approx((2 / 3 + 1 + 0 + 0) / 4)
    assert metrics.values["recall"] == pytest.approx((1 + 1 / 2 + 0 + 0) / 4)
    assert metrics.values["f1"] == pytest.approx((4 / 5 + 2 / 3 + 0 + 0) / 4)
    assert metrics.values["roc_auc"] is None
    assert metrics.confusion["c"]["d"] == 1


def test_a_third_predicted_value_counts_as_wrong():
    metrics = measure(Judged(["1", "0"], ["maybe", "0"]), BINARY)
    assert metrics.values["accuracy"] == 0.5
    assert metrics.values["recall"] == 0.0
    assert metrics.confusion["1"] == {"0": 0, "1": 0, "maybe": 1}


def test_a_single_class_leaves_roc_auc_undecided():
    metrics = measure(Judged(["0", "0"], ["0", "0"], [0.1, 0.2]), BINARY)
    assert metrics.values["accuracy"] == 1.0
    assert metrics.values["log_loss"] == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2)
    assert metrics.undecided == {
        "roc_auc": "every row has the same label, 0",
        "precision": "no row is predicted as 1",
        "recall": "no row's label is 1",
        "f1": "no row is, or is predicted as, 1",
    }


def test_no_rows_decide_nothing():
    metrics = measure(Judged([], [], []), BINARY)
    assert set(metrics.values.values()) == {None}
    assert metrics.undecided["accuracy"] == "there are no rows"
    assert metrics.rows == 0


def test_regression():
    # errors 1, -1, 2; mean of the labels 3; squares about it 4 + 1 + 9
    metrics = measure(Judged([1.0, 2.0, 6.0], [2.0, 1.0, 8.0]), Question("regression"))
    assert metrics.values["mae"] == pytest.approx(4 / 3)
    assert metrics.values["rmse"] == pytest.approx(math.sqrt(2))
    assert metrics.values["r2"] == pytest.approx(1 - 6 / 14)
    assert metrics.confusion is None


def test_equal_labels_leave_r2_undecided():
    metrics = measure(Judged([2.0, 2.0], [2.0, 3.0]), Question("regression"))
    assert metrics.values["r2"] is None
    assert metrics.values["mae"] == 0.5


def test_what_overflows_is_undecided():
    metrics = measure(Judged([0.0, 1.0], [1e300, 1e300]), Question("regression"))
    assert metrics.values["rmse"] is None
    assert metrics.undecided["rmse"] == "the result is not a finite number"


def test_rows_can_be_taken():
    taken = Judged(["1", "0", "1"], ["1", "1", "0"], [0.9, 0.8, 0.2]).take([2, 0])
    assert taken == Judged(["1", "1"], ["0", "1"], [0.2, 0.9])


@pytest.mark.parametrize(
    ("classes", "declared", "expected"),
    [
        (("0", "1"), None, "1"),
        (("0", "1"), "0", "0"),
        (("a", "b", "c"), None, None),
        ((), None, None),
        (("0",), None, "0"),
    ],
)
def test_the_positive_class(classes, declared, expected):
    assert positive_of(classes, declared) == expected
