"""What a worker makes quicker in `inspect` answers as before."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sized
from enum import Enum
from typing import Any

import pytest

from loopwright.scoring.hosted.inspecting import quicken, remembering


class _Plain:
    attribute = 1


class _Heir(_Plain):
    pass


class _Slotted:
    __slots__ = ("own",)


class _Hiding:
    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return {"attribute": "hidden"}


class _Abstract(Sized):
    attribute = 2

    def __len__(self) -> int:
        return 0


class _Odd(type):
    def __eq__(cls, other: object) -> bool:
        raise AssertionError("it was compared")

    __hash__ = None  # type: ignore[assignment]


class _OfOdd(metaclass=_Odd):
    attribute = 3


class _Choice(Enum):
    ONE = 1


_CLASSES = [_Plain, _Heir, _Slotted, _Hiding, _Abstract, _Odd, _OfOdd, _Choice, int, type, object, Exception]
_find = inspect._shadowed_dict  # type: ignore[attr-defined]


def test_the_answers_are_the_same_the_first_time_and_later() -> None:
    look = remembering(_find)
    for _ in range(2):
        for one in _CLASSES:
            assert look(one) is _find(one)


def test_each_ancestry_is_looked_at_once() -> None:
    asked: list[type] = []

    def find(one: type) -> Any:
        asked.append(one)
        return _find(one)

    look = remembering(find)
    for _ in range(3):
        look(_Heir), look(_Abstract)
    assert asked == [_Heir, _Abstract]


def test_a_class_that_gets_another_base_is_looked_at_anew() -> None:
    class Base:
        pass

    class Changing(Base):
        pass

    look = remembering(_find)
    before = look(Changing)
    Changing.__bases__ = (_Hiding,)
    assert look(Changing) is _find(Changing) is not before


def test_static_look_ups_see_what_they_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect, "_shadowed_dict", _find)
    values = [*_CLASSES, *(kind() for kind in (_Plain, _Heir, _Slotted, _Hiding, _Abstract, _OfOdd)), 1]
    asked = [(value, name) for value in values for name in ("attribute", "own", "__dict__", "nothing")]
    before = [inspect.getattr_static(*one, "none") for one in asked]
    quicken()
    assert (inspect._shadowed_dict is not _find) == (sys.version_info < (3, 12))  # type: ignore[attr-defined]
    for one, expected in zip(asked, before, strict=True):
        assert inspect.getattr_static(*one, "none") is expected
