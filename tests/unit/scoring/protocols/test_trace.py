"""W3C trace context."""

from __future__ import annotations

import pytest

from loopwright.scoring.protocols import trace

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_child_is_another_span_of_the_same_trace() -> None:
    parent = trace.parse(PARENT)
    assert parent is not None
    assert parent.header == PARENT
    child = trace.child(parent)
    assert (child.trace_id, child.sampled) == (parent.trace_id, True)
    assert child.span_id != parent.span_id
    assert trace.parse(child.header) == child


@pytest.mark.parametrize(
    "header",
    [
        None, "", "00", PARENT[:-1], f"{PARENT}-more", PARENT.replace("00-4", "ff-4"), PARENT.upper(),
        PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32), PARENT.replace("00f067aa0ba902b7", "0" * 16),
        PARENT.replace("-", "_"), f"cc{PARENT[2:]}more",
    ],
)  # fmt: skip
def test_what_is_no_traceparent_is_none(header: str | None) -> None:
    assert trace.parse(header) is None


def test_a_later_version_may_have_more_fields() -> None:
    assert trace.parse(f"cc{PARENT[2:]}-more") == trace.parse(PARENT)


def test_without_a_parent_a_trace_begins() -> None:
    begun = trace.child(None)
    assert trace.parse(begun.header) == begun
