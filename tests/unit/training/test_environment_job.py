"""Which lines of a requirements file uv's words are about."""

import pytest

from loopwright.errors import Place, StepFailed
from loopwright.training.environment_job import pointing, spoken_of

REQUIREMENTS = """\
# what both scripts need
numpy==2.4.6
Scikit_Learn[alldeps]>=1.7  # not scipy
-e ./own
==oops
"""


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        (
            "Because scikit-learn was not found in the package registry and you require scikit-learn>=1.7",
            (3,),
        ),
        ("Failed to build `numpy==2.4.6`", (2,)),
        ("Couldn't parse requirement: ==oops", (5,)),
        ("Because scipy was not found", ()),
    ],
)
def test_lines_that_are_spoken_of(said: str, lines: tuple[int, ...]) -> None:
    assert spoken_of(REQUIREMENTS, said) == lines


def test_where_no_line_is_named_it_is_the_file() -> None:
    with pytest.raises(StepFailed) as caught, pointing(REQUIREMENTS, "requirements.txt"):
        raise StepFailed("no network")
    assert caught.value.places == (Place(file="requirements.txt", line=1),)


def test_a_python_that_is_not_there_is_the_specs() -> None:
    with pytest.raises(StepFailed) as caught, pointing(REQUIREMENTS, "requirements.txt"):
        raise StepFailed("no Python 4", ["training.dependencies.python"])
    assert caught.value.places == (Place("training.dependencies.python"),)
