import numpy as np
import pyarrow as pa
import pytest

from loopwright.datasets.raw import Raw
from loopwright.datasets.splitting import split
from loopwright.errors import StepFailed
from loopwright.observations.rows import row_hashes


def table(**columns):
    return Raw(
        path=None,
        shown="x.csv",
        format="csv",
        columns={name: pa.array(values, pa.large_string()) for name, values in columns.items()},
    )


def held_out(raw, share=0.25, by="row"):
    made = split(raw, row_hashes(raw.frame()), share, by)
    return {tuple(row) for row in raw.frame()[made.test].itertuples(index=False)}


ROWS = table(id=[str(number) for number in range(1000)], group=[f"g{number % 50}" for number in range(1000)])
HALF = table(id=[str(number) for number in range(500)], group=[f"g{number % 50}" for number in range(500)])


def test_about_the_wanted_share_is_held_out():
    assert len(held_out(ROWS)) == pytest.approx(250, abs=45)


def test_a_row_keeps_its_side_as_the_data_grows():
    assert held_out(HALF) == {row for row in held_out(ROWS) if int(row[0]) < 500}


def test_a_greater_share_moves_rows_to_test_and_none_back():
    assert held_out(ROWS, 0.2) < held_out(ROWS, 0.3)


def test_equal_rows_land_on_one_side():
    made = split(raw := table(a=["1", "2", "3", "4"] * 20), row_hashes(raw.frame()), 0.5, "row")
    assert all(len(set(made.test[start::4])) == 1 for start in range(4))


def test_rows_that_share_a_value_land_on_one_side():
    groups = {row[1] for row in held_out(ROWS, by="group")}
    assert 3 < len(groups) < 25
    assert len(held_out(ROWS, by="group")) == 20 * len(groups)


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.0001, "no row of 3 is left to hold out. Raise"), (0.9999, "no row of 3 is left to train on. Lower")],
)
def test_an_empty_side_is_refused(share, told):
    with pytest.raises(StepFailed, match=told):
        held_out(table(a=["1", "2", "3"]), share)


def test_a_column_with_one_value_cannot_be_split():
    with pytest.raises(StepFailed, match=r"by group, no row of 2 .* \(the column has 1 different value\)"):
        held_out(table(a=["1", "2"], group=["g", "g"]), 0.5, "group")


def test_a_column_that_is_not_there():
    with pytest.raises(
        StepFailed, match=r"no column 'customer', which split.by names; use `row` or one of 'a'"
    ):
        held_out(table(a=["1", "2"]), 0.5, "customer")


def test_rows_without_the_value_are_told_of():
    raw = table(group=[None, None, *(f"g{number}" for number in range(50))])
    made = split(raw, row_hashes(raw.frame()), 0.5, "group")
    assert made.test[0] == made.test[1]
    assert made.warnings == ("2 rows without a value of 'group' are kept together on one side of the split.",)


def test_a_share_far_from_the_wanted_one_is_told_of():
    hashes = np.array([1, 2, 3, 2**64 - 1], dtype=np.uint64)
    made = split(table(a=["1", "2", "3", "4"]), hashes, 0.25, "row")
    assert (made.train_rows, made.test_rows) == (1, 3)
    assert made.warnings[0].startswith("75% of the rows are held out where split.test is 25%")
