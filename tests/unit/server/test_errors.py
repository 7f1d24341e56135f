"""Every error of ours has a status, and survives the way to the CLI as what it was."""

import pytest

from loopwright import errors
from loopwright.errors import LoopwrightError, Problem, SpecError, from_report
from loopwright.server.app import STATUS


def kinds(kind: type[LoopwrightError]) -> list[type[LoopwrightError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in kinds(child))]


def test_every_error_is_mapped() -> None:
    assert set(STATUS) == set(kinds(LoopwrightError))


def test_codes_are_stable_and_told_apart() -> None:
    codes = [kind.code for kind in kinds(LoopwrightError)]
    assert len(codes) == len(set(codes))
    assert all(
        kind.code in (errors.__doc__ or "") for kind in kinds(LoopwrightError)[1:] if kind.code != "permanent"
    )


@pytest.mark.parametrize("kind", [kind for kind in kinds(LoopwrightError) if kind is not SpecError])
def test_an_error_arrives_as_what_it_was(kind: type[LoopwrightError]) -> None:
    again = from_report(kind.code, "why", {})
    assert (type(again), again.message) == (kind, "why")


def test_a_spec_error_arrives_with_its_problems() -> None:
    sent = SpecError([Problem("a.yaml", 3, 4, "x.y", "1", "2")])
    again = from_report(sent.code, sent.message, sent.details())
    assert isinstance(again, SpecError)
    assert again.problems == sent.problems
