import numpy as np
import pytest

from loopwright.packaging import generated_rows, thresholds, tree_graph
from loopwright.packaging.generated_rows import Pools
from loopwright.scoring import Input, Output
from loopwright.scoring.compiled_plan import Decision, Linear, Numbers, Plan, Step, Table

INPUTS = (
    Input(name="port", type="string", nullable=True),
    Input(name="age", type="number", nullable=True),
    Input(name="sibs", type="integer"),
)
KNOWN = [("S", 30.0, 1), ("C", 40.0, 0), (None, None, 3)]


def plan(**more):
    given = {
        "blocks": (
            Table(input=0, keys=("S", "C"), values=((1.0,), (0.0,)), missing=(0.0,), unknown=None, at=(0,)),
            Numbers(inputs=(1, 2), steps=(Step(op="subtract", values=(10.0, 1.0)), Step(op="divide", values=(4.0, 2.0))), at=(1, 2)),
        ),
    } | more  # fmt: skip
    return Plan(
        inputs=("port", "age", "sibs"),
        outputs=(Output(name="prediction", type="integer"),),
        width=3,
        head=Linear(coefficients=((1.0, 1.0, 1.0),), intercepts=(0.0,)),
        decision=Decision(classes=(0, 1), names=("0", "1")),
        **given,
    )


def forest(feature, threshold):
    """One tree that splits once."""
    return tree_graph.Forest(
        feature=np.array([feature, 0, 0]), threshold=np.array([threshold, 0, 0]), left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]), missing=np.zeros(3, bool), values=np.ones((3, 1)), sizes=np.array([3]), targets=np.array([0]),
    )  # fmt: skip


def test_thresholds_are_traced_back_through_scalers():
    assert thresholds.of_inputs(forest(1, 0.5), plan()) == {1: [12.0]}
    assert thresholds.of_inputs(forest(2, 0.25), plan()) == {2: [1.5]}


def test_thresholds_of_tables_and_mixtures_are_of_no_input():
    assert thresholds.of_inputs(forest(0, 0.5), plan()) == {}
    mixed = plan(steps=(Step(op="product", by=((1.0,), (1.0,), (1.0,))),))
    assert thresholds.of_inputs(forest(0, 0.5), mixed) == {}


def test_columns_that_were_taken_keep_their_input():
    assert thresholds.of_inputs(forest(0, 0.5), plan(steps=(Step(op="take", at=(1, 2)),))) == {1: [12.0]}


@pytest.fixture
def pools():
    return Pools(INPUTS, plan(), KNOWN, {1: [12.0], 2: [1.5]})


def test_rows_are_many_and_the_same_every_time(pools):
    rows = generated_rows.generate(pools, KNOWN)
    assert len(rows) >= 10_000
    assert rows == generated_rows.generate(pools, KNOWN)


def test_rows_stand_at_and_beside_thresholds_and_lack_values(pools):
    rows = generated_rows.generate(pools, KNOWN)
    ages = {row[1] for row in rows}
    assert {
        12.0,
        np.nextafter(12.0, 13),
        np.nextafter(12.0, 11),
        float(np.nextafter(np.float32(12), np.float32(13))),
        None,
    } <= ages
    assert {1, 2} <= {row[2] for row in rows}
    assert all(isinstance(row[2], int) for row in rows)


def test_values_that_the_original_refuses_come_only_in_rows_of_their_own(pools):
    assert {row[0] for row in generated_rows.generate(pools, KNOWN)} == {"S", "C", None}
    alone = generated_rows.refused(pools, KNOWN)
    assert ("never seen before", 30.0, 1) in alone
    assert all(row[0] not in ("S", "C") for row in alone)


def test_ties_are_halved_down_to_two_rows_with_other_labels():
    rows = generated_rows.ties(KNOWN[:2], INPUTS, lambda some: [int(row[1] > 35.2) for row in some])
    below = max(row[1] for row in rows if row[1] <= 35.2)
    above = min(row[1] for row in rows if row[1] > 35.2)
    assert above == np.nextafter(below, 36)
