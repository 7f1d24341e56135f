"""Every refusal has one HTTP status."""

from __future__ import annotations

from collections.abc import Iterator

from loopwright.scoring.app import STATUSES
from loopwright.scoring.refusals import Busy, Refusal


def _kinds(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


def test_every_refusal_is_mapped() -> None:
    concrete = {kind for kind in _kinds(Refusal) if kind is not Busy}
    assert set(STATUSES) == concrete
    assert {STATUSES[kind] for kind in concrete if issubclass(kind, Busy)} == {503}


def test_codes_tell_refusals_apart() -> None:
    assert len({kind.code for kind in STATUSES}) == len(STATUSES)
