"""Which requirements uv's words are about."""

import pytest

from loopwright.errors import Place, StepFailed
from loopwright.training.resolving import pointing

LINES = [("numpy==2.4.6", "r.txt", 2), ("Scikit_Learn[alldeps]>=1.7", "more.txt", 3), ("==oops", "r.txt", 5)]


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        (
            "Because scikit-learn was not found in the package registry and you require scikit-learn>=1.7",
            (3,),
        ),
        ("Failed to build `numpy==2.4.6`", (2,)),
        ("Couldn't parse requirement: ==oops", (5,)),
        ("Because scipy was not found", (1,)),
    ],
)
def test_lines_that_are_spoken_of(said: str, lines: tuple[int, ...]) -> None:
    with pytest.raises(StepFailed) as caught, pointing(LINES):
        raise StepFailed(said)
    assert tuple(place.line for place in caught.value.places) == lines


def test_where_no_line_is_named_it_is_the_file() -> None:
    with pytest.raises(StepFailed) as caught, pointing(LINES):
        raise StepFailed("no network")
    assert caught.value.places == (Place(file="r.txt", line=1),)


def test_a_python_that_is_not_there_is_the_specs() -> None:
    with pytest.raises(StepFailed) as caught, pointing(LINES):
        raise StepFailed("no Python 4", ["training.dependencies.python"])
    assert caught.value.places == (Place("training.dependencies.python"),)
