"""A field that an engine refuses is told with its place, before anything runs."""

from __future__ import annotations

import pytest
from driving import EXAMPLE

from loopwright.engines.base import Capability
from loopwright.errors import SpecError
from loopwright.operations import capability
from loopwright.operations.declaration import read_declaration


def test_each_engine_that_is_named_is_asked_once() -> None:
    found = capability.capabilities(read_declaration(EXAMPLE))
    assert list(found) == ["local"]
    assert {one.verdict for one in found["local"]} >= {"exact", "approximate"}


def test_a_refused_field_is_an_error_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Capability(
        field="training.compute.cpu", verdict="refused", value="at most 0 cores", sentence="Buy one."
    )
    monkeypatch.setattr(capability, "capabilities_of", lambda engine, spec: (refused,))
    declared = read_declaration(EXAMPLE)
    with pytest.raises(SpecError) as caught:
        capability.capabilities(declared)
    line, column = declared.positions.at("training.compute.cpu")
    assert (
        f"loopwright.yaml:{line}:{column}: training.compute.cpu: found `1`, expected at most 0 cores. Buy one."
        in str(caught.value)
    )
