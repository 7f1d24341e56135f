import pytest

from loopwright.evaluation.gates import Champion, Side, decide
from loopwright.evaluation.metrics import Metrics


def metrics(rows=100, **values):
    return Metrics(rows, values)


def one(gate, overall=None, slices=None, champion=None):
    verdicts = decide([gate], overall or metrics(accuracy=0.803), slices or {}, champion)
    assert len(verdicts) == 1
    return verdicts[0]


def champion(own, candidate, slices=None, candidate_slices=None):
    return Champion("titanic:3", Side(own, slices or {}), Side(candidate, candidate_slices or {}))


def test_a_minimum_that_holds():
    verdict = one({"metric": "accuracy", "min": 0.75})
    assert verdict.passed
    assert verdict.reason == "accuracy 0.803 >= 0.75"
    assert (verdict.gate, verdict.value, verdict.threshold) == ("accuracy >= 0.75", 0.803, 0.75)


def test_a_minimum_that_does_not():
    verdict = one({"metric": "accuracy", "min": 0.85})
    assert not verdict.passed
    assert verdict.reason == "accuracy 0.803 < 0.85"


@pytest.mark.parametrize(("value", "passed"), [(12.0, True), (12.5, True), (12.6, False)])
def test_a_maximum(value, passed):
    verdict = one({"metric": "mae", "max": 12.5}, metrics(mae=value))
    assert verdict.passed is passed
    assert verdict.reason == f"mae {value:g} {'<=' if passed else '>'} 12.5"


def test_a_near_miss_is_not_rounded_into_a_contradiction():
    assert (
        one({"metric": "accuracy", "min": 0.75}, metrics(accuracy=0.7499)).reason == "accuracy 0.7499 < 0.75"
    )


def test_each_verdict_names_its_condition_in_the_spec():
    gates = [{"metric": "accuracy", "min": 0.75}, {"metric": "accuracy", "min": 0.75, "max": 0.8}]
    told = [verdict.at for verdict in decide(gates, metrics(accuracy=0.803), {}, None)]
    assert told == ["evaluation.gates.0.min", "evaluation.gates.1.min", "evaluation.gates.1.max"]


def test_each_condition_of_a_gate_has_its_verdict():
    verdicts = decide([{"metric": "accuracy", "min": 0.75, "max": 0.8}], metrics(accuracy=0.803), {}, None)
    assert [verdict.passed for verdict in verdicts] == [True, False]


@pytest.mark.parametrize("condition", [{"min": 0.0}, {"max": 1.0}, {"min_versus_champion": -1.0}])
def test_what_could_not_be_computed_never_passes(condition):
    undecided = Metrics(2, {"roc_auc": None}, {"roc_auc": "every row has the same label, 0"})
    verdict = one({"metric": "roc_auc", **condition}, undecided, champion=champion(undecided, undecided))
    assert not verdict.passed
    assert verdict.value is None
    assert "cannot be computed: every row has the same label, 0" in verdict.reason


def test_a_metric_of_another_task_never_passes():
    verdict = one({"metric": "mae", "max": 99.0})
    assert not verdict.passed
    assert "no metric of this task, which has accuracy" in verdict.reason


def test_a_gate_without_a_condition_never_passes():
    verdict = one(
        {"metric": "accuracy", "slice": None, "min": None, "max": None, "min_versus_champion": None}
    )
    assert not verdict.passed
    assert "can decide nothing" in verdict.reason


SLICES = {"gender": {"female": metrics(94, accuracy=0.93), "male": metrics(218, accuracy=0.61)}}


def test_a_slice_that_fails_is_named():
    verdict = one({"metric": "accuracy", "slice": "gender", "min": 0.65}, slices=SLICES)
    assert not verdict.passed
    assert verdict.reason == "accuracy of gender=male 0.61 < 0.65 (n=218)"
    assert (verdict.gate, verdict.value) == ("accuracy by gender >= 0.65", 0.61)


def test_slices_that_hold_show_the_one_nearest_to_failing():
    verdict = one({"metric": "accuracy", "slice": "gender", "min": 0.6}, slices=SLICES)
    assert verdict.passed
    assert verdict.reason == "accuracy of gender=male 0.61 >= 0.6 (n=218)"


def test_one_undecided_slice_fails_the_gate():
    slices = {
        "gender": {"x": Metrics(0, {"accuracy": None}, {"accuracy": "there are no rows"}), **SLICES["gender"]}
    }
    verdict = one({"metric": "accuracy", "slice": "gender", "min": 0.1}, slices=slices)
    assert not verdict.passed
    assert verdict.reason == "accuracy of gender=x cannot be computed: there are no rows (n=0)"


def test_a_slice_without_values_fails():
    assert not one({"metric": "accuracy", "slice": "gender", "min": 0.1}, slices={"gender": {}}).passed


def test_many_failing_slices_are_told_in_short():
    slices = {"port": {str(n): metrics(accuracy=0.1) for n in range(8)}}
    assert one({"metric": "accuracy", "slice": "port", "min": 0.5}, slices=slices).reason.endswith(
        "; and 3 more"
    )


def test_without_a_champion_the_comparison_holds():
    verdict = one({"metric": "accuracy", "min_versus_champion": 0.1})
    assert verdict.passed
    assert "nothing to compare with" in verdict.reason


@pytest.mark.parametrize(("own", "passed"), [(0.80, True), (0.813, True), (0.82, False)])
def test_the_champion_is_compared_on_the_same_rows(own, passed):
    against = champion(metrics(90, accuracy=own), metrics(90, accuracy=0.803))
    verdict = one(
        {"metric": "accuracy", "min_versus_champion": -0.01}, metrics(accuracy=0.1), champion=against
    )
    assert verdict.passed is passed
    assert verdict.reason.startswith(f"accuracy 0.803 against {own:g} of titanic:3: gain ")
    assert verdict.reason.endswith("-0.01 (n=90)")


def test_a_hair_of_binary_rounding_decides_nothing():
    against = champion(metrics(accuracy=0.80), metrics(accuracy=0.79))
    assert 0.79 - 0.80 < -0.01
    assert one({"metric": "accuracy", "min_versus_champion": -0.01}, champion=against).passed


@pytest.mark.parametrize(("own", "passed"), [(10.0, False), (11.5, True)])
def test_for_errors_less_is_the_gain(own, passed):
    against = champion(metrics(mae=own), metrics(mae=11.0))
    verdict = one({"metric": "mae", "min_versus_champion": 0.0}, metrics(mae=11.0), champion=against)
    assert verdict.passed is passed
    assert verdict.value == pytest.approx(own - 11.0)


def test_a_champion_that_could_not_be_asked_fails_the_comparison_alone():
    silent = Champion("titanic:3", None, None, "it wants `cabin`")
    gates = [{"metric": "accuracy", "min": 0.5}, {"metric": "accuracy", "min_versus_champion": -1.0}]
    verdicts = decide(gates, metrics(accuracy=0.803), {}, silent)
    assert [verdict.passed for verdict in verdicts] == [True, False]
    assert verdicts[1].reason == "accuracy against titanic:3 cannot be decided: it wants `cabin`"


def test_a_slice_is_compared_with_its_like():
    against = champion(
        metrics(accuracy=0.5),
        metrics(accuracy=0.9),
        {"gender": {"male": metrics(20, accuracy=0.7)}},
        {"gender": {"male": metrics(20, accuracy=0.6)}},
    )
    verdict = one({"metric": "accuracy", "slice": "gender", "min_versus_champion": -0.05}, champion=against)
    assert verdict.reason == "accuracy of gender=male 0.6 against 0.7 of titanic:3: gain -0.1 < -0.05 (n=20)"
