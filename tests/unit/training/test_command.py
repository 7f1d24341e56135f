"""The training command is split as a shell would, and never run by one."""

import pytest

from loopwright.errors import StepFailed
from loopwright.training import parameters, render


def test_a_path_with_spaces_stays_one_word() -> None:
    values = {"data.passengers.train": "/a b/train.csv", "outputs": "/out"}
    command = "python training.py --data {data.passengers.train} --model-path {outputs}/m.joblib --name 'x y'"
    assert render(command, values) == (
        "python",
        "training.py",
        "--data",
        "/a b/train.csv",
        "--model-path",
        "/out/m.joblib",
        "--name",
        "x y",
    )


def test_an_unknown_placeholder_is_refused_by_name() -> None:
    with pytest.raises(StepFailed, match=r"\{data.other.train\}.*\{outputs\}"):
        render("python t.py {data.other.train}", {"outputs": "/out"})


def test_options_are_the_runs_parameters_and_paths_are_not() -> None:
    command = "python t.py --depth 5 --rate=0.1 --verbose --data {data.x.train} --last"
    assert parameters(command) == {"depth": "5", "rate": "0.1", "verbose": "true", "last": "true"}
